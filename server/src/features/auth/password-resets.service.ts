import { randomUUID, randomUUIDv7 } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { AppError, notFound } from '../../errors.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import { personOf } from '../events/event-actors.ts';
import type { EventsService } from '../events/events.service.ts';
import * as repository from './account-tokens.repository.ts';
import type { AccountTokens } from './account-tokens.ts';
import { normalEmail } from './identity.ts';
import type { Passwords } from './passwords.ts';
import type { Sessions } from './sessions.ts';

/** Leaves the mail with the token of a row. */
export type MailToken = (
  db: Transaction<Tables>,
  mail: { kind: 'password-reset' | 'invitation'; userId: string; aboutId: string },
) => Promise<void>;

export type PasswordResetsService = ReturnType<typeof createPasswordResetsService>;

export function createPasswordResetsService(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
  accountTokens: AccountTokens;
  passwords: Passwords;
  sessions: Sessions;
  /** Undefined: the server sends no mail. */
  mailToken: MailToken | undefined;
}) {
  const { db, events, accountTokens, passwords, sessions, mailToken } = dependencies;

  return {
    /** The same work for every e-mail: whether it belongs to an account shows in its inbox only. */
    async request(email: string): Promise<void> {
      if (!mailToken) throw new AppError('mail-off', 'This server sends no mail.');
      await transaction(db, async (db) => {
        const known = await repository.findUserId(db, normalEmail(email));
        const userId = known ?? randomUUID();
        await mailToken(db, { kind: 'password-reset', userId, aboutId: randomUUIDv7() });
      });
    },

    /** Sets the password of whose token it is, once, and ends all of their sessions. */
    async setPassword(token: string, password: string): Promise<void> {
      if (!(await accountTokens.find(db, token))) throw notFound();
      const hash = await passwords.hash(password);
      await transaction(db, async (db) => {
        const owner = await accountTokens.find(db, token);
        const user = owner && (await repository.lockReceiver(db, owner));
        // Looked at once more behind the lock: of two requests at once the second finds it used.
        if (!user || !(await accountTokens.find(db, token))) throw notFound();
        await repository.setPasswordHash(db, user.id, hash);
        await accountTokens.voidAll(db, user.id);
        await sessions.revokeAll(db, user.id);
        await events.record(db, {
          type: 'user.password_reset',
          actor: personOf(user),
          subjectId: user.id,
          data: { id: user.id },
        });
      });
    },
  };
}
