import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import type { DestinationStream } from 'pino';
import { createApp } from '../src/app.ts';
import { loadConfig, type Config } from '../src/config.ts';
import { createContainer, type Container } from '../src/container.ts';
import type { Actor } from '../src/features/auth/actor.ts';
import type { Clock } from '../src/platform/clock.ts';
import { transaction } from '../src/platform/database/transaction.ts';
import type { HttpServer } from '../src/platform/http/server.ts';
import { createOptionalRedis } from '../src/platform/redis/optional-redis.ts';
import { createJobs } from '../src/platform/jobs/jobs.ts';
import { queues } from '../src/queues.ts';
import { createLogger, jobStoreOf, openBus } from '../src/resources.ts';
import type { Role } from '../src/tables.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { createReplyCheck, type Document } from './openapi.ts';
import type { TestReply } from './reply.ts';
import { unlimitedEnv } from './unlimited-env.ts';

export type { TestReply } from './reply.ts';

/** Whoever asks, known by what they bear, if anything. */
export type TestBearer = {
  get(url: string, headers?: Record<string, string>): Promise<TestReply>;
  post(url: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>;
  put(url: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>;
  patch(url: string, body?: unknown, headers?: Record<string, string>): Promise<TestReply>;
  delete(url: string, headers?: Record<string, string>): Promise<TestReply>;
};

export type TestClient = TestBearer & {
  user: { id: string; email: string; name: string; role: Role };
  token: string;
};

/** The system's time, moved ahead by what a test asks for. */
export type TestClock = Clock & { advance(milliseconds: number): void };

/** One instance of the server in this process, behind `inject`. */
export type TestApp = {
  app: HttpServer;
  container: Container;
  config: Config;
  clock: TestClock;
  db: TestDatabase['database']['db'];
  databaseUrl: string | undefined;
  anonymous: TestBearer;
  /** Whoever has this token. */
  bearing(token: string): TestBearer;
  /** A new user of the role, signed in. */
  as(role: Role): Promise<TestClient>;
  signUp(person?: { name?: string }): Promise<TestClient>;
  /** Listens on a free loopback port, for tests that need real sockets. */
  listen(): Promise<string>;
  /** Publishes an article that the assistant can answer from. */
  publish(article?: {
    title?: string;
    body?: string;
    audience?: 'public' | 'internal';
  }): Promise<string>;
  close(): Promise<void>;
};

export const testPassword = 'correct horse battery';
const testSecret = randomBytes(48).toString('base64url');
/** Hashing is slow on purpose; every user of a test has the same password, so one hash will do. */
let passwordHash: string | undefined;
/** All servers have the same document, and its validators take a moment to make. */
let checkReply: ReturnType<typeof createReplyCheck> | undefined;

/** What a returns article says, for questions about it. */
const returnsArticle = {
  title: 'How long do I have to return an item?',
  body: '## Returns\n\nYou have 30 days from delivery to return an item. Shoes may be tried on indoors only.',
};

/**
 * Starts an instance on a database of its own, or on that of another instance (`sharing`), which
 * then is the one to close it.
 */
export async function startTestApp(
  options: { env?: Record<string, string>; sharing?: TestDatabase; log?: DestinationStream } = {},
): Promise<TestApp & { testDatabase: TestDatabase }> {
  const testDatabase = options.sharing ?? (await createTestDatabase());
  const { database, url } = testDatabase;
  const config = loadConfig({
    DATA_DIR: tmpdir(),
    SECRET_KEY: testSecret,
    LOG_LEVEL: 'silent',
    PORT: '0',
    // Files that are about background work ask for it.
    RUN_JOBS: 'false',
    SHUTDOWN_DRAIN_MS: '0',
    // A test is busier than a person; files that are about limits set them.
    ...unlimitedEnv,
    ...options.env,
  });
  const logLevel = options.env?.['LOG_LEVEL'] ?? process.env['TEST_LOG_LEVEL'] ?? 'silent';
  const logger = createLogger({ logLevel }, options.log);
  const clock = createTestClock();
  const bus = await openBus(config, database, logger);
  const redis = config.redisUrl ? createOptionalRedis(config.redisUrl, logger) : undefined;
  const jobs = createJobs(jobStoreOf(database), {
    works: config.runJobs,
    migrates: false,
    queues,
    logger,
  });
  await jobs.start();
  const container = createContainer(config, {
    database,
    jobs,
    bus,
    redis,
    secretKeys: config.secretKeys,
    clock,
    logger,
  });
  const app = await createApp(config, container, logger);
  container.runner.resume();
  await container.startJobs();
  await app.ready();
  const { db } = database;

  async function as(role: Role, name = `Test ${role}`): Promise<TestClient> {
    passwordHash ??= await container.passwords.hash(testPassword);
    const hash = passwordHash;
    const email = `${randomBytes(6).toString('hex')}@example.com`;
    const user = await transaction(db, (db) =>
      container.users.register(db, { email, name, role, passwordHash: hash }),
    );
    const login = await anonymous.post('/api/v1/auth/login', { email, password: testPassword });
    const token = login.body.access_token as string;
    return { user: { id: user.id, email, name, role }, token, ...clientOf(token) };
  }

  /** Every reply that a test gets is held against the OpenAPI document. */
  function clientOf(token: string | undefined): TestBearer {
    type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
    const send = async (
      method: Method,
      url: string,
      body: unknown,
      headers: Record<string, string> = {},
    ): Promise<TestReply> => {
      const reply = await app.inject({
        method,
        url,
        headers: { ...(token && { authorization: `Bearer ${token}` }), ...headers },
        ...(body !== undefined && { payload: body as object }),
      });
      const isJson = /json/.test(String(reply.headers['content-type']));
      const result = {
        status: reply.statusCode,
        body: isJson ? reply.json() : reply.body || undefined,
        headers: reply.headers as Record<string, string>,
      };
      checkReply ??= createReplyCheck(app.swagger() as unknown as Document);
      checkReply(method, url, result);
      return result;
    };
    return {
      get: (url, headers) => send('GET', url, undefined, headers),
      post: (url, body, headers) => send('POST', url, body, headers),
      put: (url, body, headers) => send('PUT', url, body, headers),
      patch: (url, body, headers) => send('PATCH', url, body, headers),
      delete: (url, headers) => send('DELETE', url, undefined, headers),
    };
  }
  const anonymous = clientOf(undefined);

  return {
    app,
    container,
    config,
    clock,
    db,
    databaseUrl: url,
    testDatabase,
    anonymous,
    bearing: clientOf,
    as: (role) => as(role),
    signUp: ({ name } = {}) => as('customer', name),
    listen: () => app.listen({ host: '127.0.0.1', port: 0 }),
    async publish(article = {}) {
      const author: Actor = {
        id: '00000000-0000-7000-8000-000000000000',
        role: 'admin',
        name: 'Author',
        sessionId: '',
      };
      const input = { ...returnsArticle, ...article, status: 'published' as const };
      return (await container.knowledge.create(author, input)).id;
    },
    async close() {
      await container.relay.stop();
      await container.runner.drain(0);
      await container.dispatcher.stop(0);
      await jobs.stop(0);
      container.stopLive();
      container.eventStreams.close();
      await app.close();
      await bus.close();
      redis?.close();
      if (!options.sharing) await testDatabase.drop();
    },
  };
}

function createTestClock(): TestClock {
  let ahead = 0;
  return {
    now: () => new Date(Date.now() + ahead),
    advance: (milliseconds) => void (ahead += milliseconds),
  };
}

/** Waits until `look` finds something; fails after `timeoutMs` with what was waited for. */
export async function until<Result>(
  what: string,
  look: () => Promise<Result | undefined | false> | Result | undefined | false,
  timeoutMs = 10_000,
): Promise<Result> {
  const giveUpAt = Date.now() + timeoutMs;
  for (;;) {
    const found = await look();
    if (found) return found;
    if (Date.now() > giveUpAt) throw new Error(`waited ${timeoutMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
