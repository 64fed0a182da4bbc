import pg from 'pg';
import type { TestReply } from './harness.ts';
import type { Operation } from './openapi.ts';

/** An operation that takes an `Idempotency-Key`. */
export const takesKey = ({ parameters }: Operation): boolean =>
  parameters?.some(({ name }) => name === 'idempotency-key') ?? false;

/**
 * Asks while another request of the user with the same key is at work, which takes a second
 * connection: the embedded database has none.
 */
export async function whileInFlight(
  databaseUrl: string | undefined,
  request: { userId: string; operation: Operation; key: string },
  ask: () => Promise<TestReply>,
): Promise<TestReply> {
  const { userId, operation, key } = request;
  const route = `POST ${operation.path.replaceAll(/\{(\w+)\}/g, ':$1')}`;
  const first = new pg.Client({ connectionString: databaseUrl });
  await first.connect();
  try {
    const name = `${userId} ${route} ${key}`;
    await first.query('select pg_advisory_lock(hashtextextended($1, 0))', [name]);
    return await ask();
  } finally {
    await first.end();
  }
}
