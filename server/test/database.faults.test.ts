import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { sql } from 'kysely';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from 'vitest';
import { connectPostgres } from '../src/platform/database/connect.ts';
import type { Tables } from '../src/tables.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { factoriesEnv, metricsToken } from './factories.ts';
import { startTestApp, until, type TestApp, type TestClient } from './harness.ts';

const { serverUrl } = inject('databases');

/** The way to a PostgreSQL server, which can be cut. */
async function startWay(target: string) {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    }
    if (isCut) near.destroy();
    near.pipe(far).pipe(near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as AddressInfo).port);
  const drop = (): void => sockets.forEach((socket) => socket.destroy());
  return {
    url: url.href,
    /** Ends all connections; new ones fail until `mend`. */
    cut(): void {
      isCut = true;
      drop();
    },
    mend: (): void => void (isCut = false),
    /** Ends all connections; new ones are made as before. */
    drop,
    close(): void {
      drop();
      server.close();
    },
  };
}

describe.skipIf(!serverUrl)('while PostgreSQL', () => {
  let real: TestDatabase;
  let way: Awaited<ReturnType<typeof startWay>>;
  let through: TestDatabase['database'];
  let app: TestApp;
  let customer: TestClient;
  const ticket = { title: 'Returns', description: 'May I return gloves?' };
  const create = () => customer.post('/api/v1/tickets', ticket);
  const unavailable = { status: 503, body: { code: 'unavailable', retryable: true } };

  beforeAll(async () => {
    real = await createTestDatabase();
    way = await startWay(real.url ?? '');
    through = connectPostgres<Tables>({ url: way.url, poolMax: 4, statementTimeoutMs: 500 });
    const sharing = { database: through, url: way.url, drop: async () => undefined };
    app = await startTestApp({ sharing, env: { ...factoriesEnv, AI_ENABLED: 'false' } });
    customer = await app.as('customer');
  });
  afterEach(() => way.mend());
  afterAll(async () => {
    await app.close();
    await through.close();
    way.close();
    await real.drop();
  });

  test('is away, requests are 503 with Retry-After, it shows, and all is well again by itself', async () => {
    way.cut();
    const refused = await create();
    expect(refused).toMatchObject(unavailable);
    expect(refused.headers['retry-after']).toBe('2');
    expect(await app.anonymous.get('/health/ready')).toMatchObject({
      status: 503,
      body: { checks: { database: { status: 'down' } } },
    });
    expect((await app.anonymous.get('/health/live')).status).toBe(200);
    const scrape = { authorization: `Bearer ${metricsToken}` };
    const { body } = await app.anonymous.get('/metrics', scrape);
    expect(body).toMatch(/^support_assistant_database_up 0$/m);
    way.mend();
    await until('it to serve', async () => (await create()).status === 201, 5_000);
    await until('it to be ready', async () => {
      return (await app.anonymous.get('/health/ready')).status === 200;
    });
  });

  test('is busy for all connections of the pool, the instance stays ready', async () => {
    expect((await app.anonymous.get('/health/ready')).status).toBe(200);
    const held = Promise.withResolvers<void>();
    const holders = Array.from({ length: 4 }, () =>
      through.db.transaction().execute(() => held.promise),
    );
    await until('all to be taken', () => through.connections?.().idle === 0);
    expect((await app.anonymous.get('/health/ready')).status).toBe(200);
    held.resolve();
    await Promise.all(holders);
  });

  test('is read-only, reads go on and writes are 503', async () => {
    const setReadOnly = (value: string) =>
      sql`alter database ${sql.id(new URL(way.url).pathname.slice(1))}
        set default_transaction_read_only = ${sql.raw(value)}`.execute(real.database.db);
    await setReadOnly('on');
    way.drop();
    const read = () => customer.get('/api/v1/tickets');
    await until('a new connection', async () => (await read()).status === 200);
    expect(await create()).toMatchObject(unavailable);
    // This connection is from before.
    await setReadOnly('off');
    way.drop();
    await until('it to serve', async () => (await create()).status === 201);
  });

  test('has a full disk, writes are 503 and reads go on', async () => {
    await sql`create function be_full() returns trigger language plpgsql as
      $$ begin raise exception 'no space left' using errcode = 'disk_full'; end $$`.execute(
      real.database.db,
    );
    await sql`create trigger full_disk before insert on tickets execute function be_full()`.execute(
      real.database.db,
    );
    expect(await create()).toMatchObject(unavailable);
    expect((await customer.get('/api/v1/tickets')).status).toBe(200);
    await sql`drop trigger full_disk on tickets`.execute(real.database.db);
    expect((await create()).status).toBe(201);
  });

  test('is slow, a request ends with its statement, and others do not wait', async () => {
    const blocker = new pg.Client({ connectionString: real.url });
    await blocker.connect();
    await blocker.query('begin');
    await blocker.query('lock table tickets in access exclusive mode');
    const startedAt = performance.now();
    const waiting = create();
    expect((await customer.get('/api/v1/me')).status).toBe(200);
    expect(await waiting).toMatchObject(unavailable);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await blocker.end();
    expect((await create()).status).toBe(201);
  });
});
