import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { PGlite } from '@electric-sql/pglite';
import { Kysely, PGliteDialect, PostgresDialect, sql, type Dialect, type Driver } from 'kysely';
import pg from 'pg';
import { refuseRootInsideTransaction } from './transaction.ts';

// int8: every bigint of ours (ticket numbers, positions) stays far below 2^53.
pg.types.setTypeParser(20, Number);

/** A database and what the rest of the process must know of it. */
export type Database<Tables> = {
  readonly db: Kysely<Tables>;
  /** Where LISTEN can connect; undefined for the embedded database, which only this process can reach. */
  readonly listenUrl: string | undefined;
  /** The embedded database itself; undefined for a server. */
  readonly pglite: PGlite | undefined;
  /** The pool's connections now; undefined for the embedded database, which has one. */
  connections?(): Connections;
  /** Rejects when the database does not answer: on a connection of its own, however busy the pool is. */
  ping(): Promise<unknown>;
  close(): Promise<void>;
};

/** All connections, those that nobody uses, and how many statements wait for one. */
export type Connections = { total: number; idle: number; waiting: number };

export type PostgresOptions = {
  url: string;
  poolMax: number;
  statementTimeoutMs: number;
};

const pingMsMax = 1_500;

/** Opens a pool on a PostgreSQL server (15 or newer). Connects on first use. */
export function connectPostgres<Tables>(options: PostgresOptions): Database<Tables> {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.poolMax,
    connectionTimeoutMillis: 2_000,
    statement_timeout: options.statementTimeoutMs,
    lock_timeout: 2_000,
    idle_in_transaction_session_timeout: 10_000,
    application_name: 'support-assistant',
    // Compiling the plan of a search takes longer than the search.
    options: '-c jit=off',
  });
  // An idle connection that the server closes is replaced on next use; without a listener it
  // would end the process.
  pool.on('error', () => undefined);
  const probe = new pg.Pool({
    connectionString: options.url,
    max: 1,
    connectionTimeoutMillis: pingMsMax,
    query_timeout: pingMsMax,
    application_name: 'support-assistant probe',
  });
  probe.on('error', () => undefined);
  const { close, ...opened } = open<Tables>(
    new PostgresDialect({ pool: namingStatements(pool) }),
    options.url,
    undefined,
  );
  return {
    ...opened,
    ping: () => probe.query('select 1'),
    close: async () => void (await Promise.all([close(), probe.end()])),
    connections: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
    }),
  };
}

/** Wraps an embedded database that the caller has opened (see embedded.ts). */
export const connectEmbedded = <Tables>(pglite: PGlite): Database<Tables> =>
  open(givingTurns(new PGliteDialect({ pglite })), undefined, pglite);

function open<Tables>(
  dialect: Dialect,
  listenUrl: string | undefined,
  pglite: PGlite | undefined,
): Database<Tables> {
  const db = new Kysely<Tables>({ dialect: refuseRootInsideTransaction(dialect) });
  const ping = (): Promise<unknown> => sql`select 1`.execute(db);
  return { db, listenUrl, pglite, ping, close: () => db.destroy() };
}

/**
 * The embedded database replies without a turn of the event loop: work of many statements in a row
 * would keep requests from being read.
 */
function givingTurns(dialect: Dialect): Dialect {
  return {
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createDriver: () => {
      const driver = dialect.createDriver();
      const acquireConnection = driver.acquireConnection.bind(driver);
      const afterATurn: Driver['acquireConnection'] = async (...args) => {
        await nextTurn();
        return acquireConnection(...args);
      };
      driver.acquireConnection = afterATurn;
      return driver;
    },
  };
}

/** Distinct statements that get a name; more than this is a leak of text into SQL, and goes unnamed. */
const namedStatementsMax = 2_000;

/**
 * A named statement is parsed and planned once per connection. Kysely does not name them, so the
 * pool that it sees does, by a hash of the text.
 */
function namingStatements(pool: pg.Pool) {
  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= namedStatementsMax) return known;
    const name = createHash('sha1').update(text).digest('base64url');
    names.set(text, name);
    return name;
  };
  const clients = new WeakMap<pg.PoolClient, object>();
  const wrap = (client: pg.PoolClient) => ({
    query: (text: string, values: readonly unknown[]) =>
      client.query({ name: nameOf(text), text, values: [...values] }),
    release: (destroy?: boolean) => client.release(destroy),
  });
  return {
    options: pool.options,
    end: () => pool.end(),
    async connect() {
      const client = await pool.connect();
      const known = clients.get(client);
      if (known) return known;
      // A connection that breaks while it is in use rejects its query and also emits 'error',
      // which without a listener would end the process.
      client.on('error', () => undefined);
      const wrapped = wrap(client);
      clients.set(client, wrapped);
      return wrapped;
    },
  } as unknown as pg.Pool;
}
