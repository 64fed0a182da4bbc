import type { Kysely, Transaction } from 'kysely';
import type { Clock } from '../../platform/clock.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { AccountTokenPurpose, Tables } from '../../tables.ts';
import { accountTokenIdOf, accountTokenOf, isAccountTokenOf } from './account-token.ts';
import * as repository from './account-tokens.repository.ts';

const minuteMs = 60 * 1_000;
const dayMs = 24 * 60 * minuteMs;
const lifeMs: Record<AccountTokenPurpose, number> = {
  'password-reset': 30 * minuteMs,
  invitation: 7 * dayMs,
};
const resetsPerHourMax = 3;

export type AccountTokens = ReturnType<typeof createAccountTokens>;

/** What the links in mails about an account stand for. */
export function createAccountTokens(dependencies: {
  db: Kysely<Tables>;
  keys: readonly string[];
  clock: Clock;
}) {
  const { db, keys, clock } = dependencies;
  const before = (ms: number): Date => new Date(clock.now().getTime() - ms);

  return {
    /** Makes the row of an invitation, which voids the earlier ones. */
    async invite(db: Transaction<Tables>, id: string, userId: string): Promise<void> {
      await repository.voidAll(db, userId, clock.now(), 'invitation');
      await insert(db, id, userId, 'invitation');
    },

    /**
     * The token of a row, for the mail that carries it; a reset gets its row here, at most three in
     * an hour. Undefined when there is none to give: the account is not one that mails open.
     */
    async give(
      id: string,
      userId: string,
      purpose: AccountTokenPurpose,
    ): Promise<string | undefined> {
      const isGood = await transaction(db, async (db) => {
        if (!(await repository.lockReceiver(db, userId))) return false;
        const isKnown = (await repository.find(db, id)) !== undefined;
        if (!isKnown && purpose === 'password-reset' && (await mayReset(db, userId))) {
          await insert(db, id, userId, purpose);
        }
        return (await repository.findLive(db, id, clock.now()))?.user_id === userId;
      });
      const [key] = keys;
      return isGood && key ? accountTokenOf(key, id, userId) : undefined;
    },

    /** Whose account a token opens now; undefined for any that opens none. */
    async find(db: Kysely<Tables>, token: string): Promise<string | undefined> {
      const id = accountTokenIdOf(token);
      const row = id && (await repository.findLive(db, id, clock.now()));
      return row && isAccountTokenOf(keys, token, row.user_id) ? row.user_id : undefined;
    },

    /** Voids all that the user could still use. */
    voidAll: (db: Transaction<Tables>, userId: string): Promise<void> =>
      repository.voidAll(db, userId, clock.now()),
  };

  async function mayReset(db: Transaction<Tables>, userId: string): Promise<boolean> {
    const since = before(60 * minuteMs);
    return (await repository.countSince(db, userId, 'password-reset', since)) < resetsPerHourMax;
  }

  function insert(
    db: Transaction<Tables>,
    id: string,
    user_id: string,
    purpose: AccountTokenPurpose,
  ): Promise<void> {
    const created_at = clock.now();
    const expires_at = new Date(created_at.getTime() + lifeMs[purpose]);
    return repository.insert(db, { id, user_id, purpose, created_at, expires_at });
  }
}
