import { AsyncLocalStorage } from 'node:async_hooks';
import type { Dialect, Driver, Kysely, Transaction } from 'kysely';

const insideTransaction = new AsyncLocalStorage<boolean>();

/** What each open transaction has asked for behind its commit. */
const followUps = new WeakMap<object, Set<() => void>>();

/** SQLSTATEs that PostgreSQL asks us to answer by trying again: serialisation failure, deadlock. */
const retryableStates = new Set(['40001', '40P01']);
const attemptsMax = 3;

/**
 * Runs `work` in one transaction and commits, or rolls back when it throws.
 * `work` may run up to three times (serialisation failures and deadlocks), so it must have no effect
 * outside the database. Name the parameter `db` too: shadowing the outer executor is on purpose.
 */
export async function transaction<Tables, Result>(
  db: Kysely<Tables>,
  work: (db: Transaction<Tables>) => Promise<Result>,
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    const followUp = new Set<() => void>();
    let result: Result;
    try {
      result = await db.transaction().execute((transaction) => {
        followUps.set(transaction, followUp);
        return insideTransaction.run(true, () => work(transaction));
      });
    } catch (error) {
      if (attempt >= attemptsMax || !retryableStates.has(sqlState(error))) throw error;
      continue;
    }
    for (const follow of followUp) follow();
    return result;
  }
}

/**
 * Calls `follow` when the transaction has committed, once however often it is asked for, and not at
 * all when it rolls back. A crash in between loses the call, so it may only hurry what is done anyway.
 */
export function afterCommit<Tables>(db: Transaction<Tables>, follow: () => void): void {
  const followUp = followUps.get(db);
  if (!followUp) throw new Error('The transaction was not opened with `transaction`.');
  followUp.add(follow);
}

/** Leaves the mark of the surrounding transaction: for work that is started by it but outlives it. */
export const outsideTransaction = <Result>(work: () => Result): Result =>
  insideTransaction.run(false, work);

/** The SQLSTATE of a database error, or the empty string. */
const sqlState = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';

/** True when a write broke the named unique constraint or index. */
export const violates = (error: unknown, constraint: string): boolean =>
  sqlState(error) === '23505' &&
  error instanceof Error &&
  'constraint' in error &&
  error.constraint === constraint;

/**
 * Makes the root executor throw inside a transaction. On the embedded database such a statement would
 * wait for a connection that its own transaction holds, for ever; on a server it would silently
 * leave the transaction.
 */
export function refuseRootInsideTransaction(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => {
      const driver = dialect.createDriver();
      const acquireConnection = driver.acquireConnection.bind(driver);
      const guarded: Driver['acquireConnection'] = async (...args) => {
        if (insideTransaction.getStore()) {
          throw new Error(
            'A statement inside a transaction must use the `db` of that transaction.',
          );
        }
        return acquireConnection(...args);
      };
      driver.acquireConnection = guarded;
      return driver;
    },
  };
}

/** True when a statement was broken off, mostly by the limit of its time. */
export const tookTooLong = (error: unknown): boolean => sqlState(error) === '57014';

/** SQLSTATE classes of a server that is away, starting, stopping, full, read-only, or too slow for its limits. */
const unavailableStates = /^(08|25006|53|57P0[1-5]|57014|55P03)/;
const unavailableCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND']);

/** True when the database could not be asked, which another try may mend. */
export const isUnavailable = (error: unknown): boolean =>
  error instanceof Error &&
  (unavailableStates.test(sqlState(error)) ||
    unavailableCodes.has(sqlState(error)) ||
    /timeout exceeded when trying to connect|Connection terminated|Client has encountered a connection error/.test(
      error.message,
    ) ||
    (error instanceof AggregateError && error.errors.some(isUnavailable)));
