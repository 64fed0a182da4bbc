import { randomBytes, randomUUIDv7 } from 'node:crypto';
import type { Kysely } from 'kysely';
import { createTokens } from '../../server/src/features/auth/tokens.ts';
import { systemClock } from '../../server/src/platform/clock.ts';
import type { Role, Tables } from '../../server/src/tables.ts';

/** Somebody who is signed in. */
export type Person = { userId: string; sessionId: string; token: string };

/** What the servers of a run sign with, so that the run can sign for anybody. */
export const secretKey = randomBytes(48).toString('base64url');

const sessionMs = 24 * 60 * 60 * 1_000;
const peopleAtOnce = 1_000;

/**
 * Makes people with a session each, past the password, whose hash is slow on purpose. Their access
 * tokens are good for ten minutes.
 */
export async function insertPeople(
  db: Kysely<Tables>,
  role: Role,
  count: number,
): Promise<Person[]> {
  const tokens = createTokens({ keys: [secretKey], exchangeSecret: undefined, clock: systemClock });
  const people = Array.from({ length: count }, () => {
    const [userId, sessionId] = [randomUUIDv7(), randomUUIDv7()];
    return { userId, sessionId, token: tokens.signAccess({ userId, sessionId }) };
  });
  for (let from = 0; from < count; from += peopleAtOnce) {
    const some = people.slice(from, from + peopleAtOnce);
    await db
      .insertInto('users')
      .values(
        some.map(({ userId }, at) => ({
          id: userId,
          email: `${userId}@example.com`,
          name: `${role} ${from + at}`,
          password_hash: null,
          role,
          external_issuer: null,
          external_subject: null,
          disabled_at: null,
        })),
      )
      .execute();
    await db
      .insertInto('sessions')
      .values(
        some.map(({ userId, sessionId }) => ({
          id: sessionId,
          user_id: userId,
          token_hash: randomBytes(32),
          rotation_key: randomBytes(32),
          user_agent: 'bench',
          expires_at: new Date(Date.now() + sessionMs),
          revoked_at: null,
        })),
      )
      .execute();
  }
  return people;
}
