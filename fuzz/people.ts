import { randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import type pg from 'pg';
import { createPasswords } from '../server/src/features/auth/passwords.ts';
import { createTokens } from '../server/src/features/auth/tokens.ts';
import { systemClock } from '../server/src/platform/clock.ts';
import type { Dice } from './dice.ts';

const roles = ['customer', 'agent', 'admin'] as const;
type Role = (typeof roles)[number];

/** Somebody who is signed in, until a request of theirs or about them ends it. */
export type Person = { role: Role; email: string; token(): string };

export type People = Awaited<ReturnType<typeof createPeople>>;

export const password = 'four random words';
const eachRole = 3;

/** People of every role in the database, past the sign-up, whose hash is slow on purpose. */
export async function createPeople(database: pg.Pool, secretKey: string) {
  const tokens = createTokens({ keys: [secretKey], exchangeSecret: undefined, clock: systemClock });
  const passwordHash = await createPasswords().hash(password);
  const people: Person[] = [];

  async function insert(role: Role): Promise<Person> {
    const [userId, sessionId] = [randomUUIDv7(), randomUUIDv7()];
    const email = `${randomUUID()}@example.com`;
    await database.query(
      `with made as (
         insert into users (id, email, name, password_hash, role) values ($1, $2, $3, $4, $5) returning id
       )
       insert into sessions (id, user_id, token_hash, rotation_key, expires_at)
         select $6, id, $7, $8, now() + interval '1 day' from made`,
      [userId, email, `A ${role}`, passwordHash, role, sessionId, randomBytes(32), randomBytes(32)],
    );
    return { role, email, token: () => tokens.signAccess({ userId, sessionId }) };
  }
  for (const role of roles) {
    for (let count = 0; count < eachRole; count += 1) people.push(await insert(role));
  }

  return {
    /** Nobody now and then; else admins rather than customers, the more the greater `recency` is. */
    pick: (dice: Dice, recency: number): Person | undefined =>
      dice.chance(0.1) ? undefined : dice.pick(people, recency),
    /** Puts somebody new in the place of a person who cannot sign in any more. */
    async replace(person: Person): Promise<void> {
      const at = people.indexOf(person);
      if (at >= 0) people[at] = await insert(person.role);
    },
  };
}
