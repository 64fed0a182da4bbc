import { setTimeout as delay } from 'node:timers/promises';
import { createDatabases, type BenchDatabase } from '../../bench/support/databases.ts';
import { insertPeople, secretKey, type Person } from '../../bench/support/people.ts';
import { freePort } from '../../server/test/cli-process.ts';
import { startFakeAi, type FakeAi } from '../../server/test/fake-ai.ts';
import { startRedis } from '../../server/test/redis.ts';
import type { Faults } from '../scenario.ts';
import { createInstance, type Instance } from './instance.ts';
import { startFaultyReceiver, type FaultyReceiver } from './receiver.ts';

export type RedisServer = Awaited<ReturnType<typeof ownRedis>>;

/** A support desk at work: instances of the server behind one database, and all that they need. */
export type Desk = {
  instances: readonly Instance[];
  urls: readonly string[];
  db: BenchDatabase['db'];
  redis: RedisServer;
  fakeAi: FakeAi;
  receiver: FaultyReceiver;
  customers: readonly Person[];
  agent: Person;
  admin: Person;
};

export type DeskOptions = {
  instances?: number;
  customers?: number;
  /** The scenario of the fake AI. */
  ai?: string;
  /** The share of webhooks that the receiver fails. */
  receiverFailures?: number;
  env?: Record<string, string>;
  /** Another PostgreSQL server than the run's. */
  serverUrl?: string;
};

const article = {
  title: 'How long do I have to return an item?',
  body: '## Returns\n\nYou have 30 days from delivery to return an item. Shoes may be tried on indoors only.',
  status: 'published',
};

export async function startDesk(faults: Faults, options: DeskOptions = {}): Promise<Desk> {
  const databases = createDatabases(options.serverUrl ?? faults.serverUrl);
  const { db, url: databaseUrl } = await databases.create();
  faults.defer(databases.close);
  const redis = await ownRedis(faults);
  const fakeAi = await startFakeAi();
  faults.defer(fakeAi.close);
  const receiver = await startFaultyReceiver(faults.random, options.receiverFailures ?? 0);
  faults.defer(receiver.close);
  const env = {
    NODE_ENV: 'production',
    LOG_LEVEL: 'warn',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redis.url,
    SECRET_KEY: secretKey,
    AI_PROVIDER: 'groq',
    AI_BASE_URL: fakeAi.url,
    AI_MODEL: `fake/${options.ai ?? 'slow?delay=20'}`,
    AI_FALLBACKS: 'none',
    GROQ_API_KEY: 'fake',
    WEBHOOK_ALLOW: receiver.host,
    WEBHOOK_TIMEOUT_MS: '500',
    // Enough for bad luck and for every kill: nothing may be given up.
    WEBHOOK_RETRY_SCHEDULE: ['0', ...Array.from({ length: 49 }, () => '0.3')].join(','),
    ...options.env,
  };
  const count = options.instances ?? 2;
  const instances = await Promise.all(
    Array.from({ length: count }, () => createInstance(faults, env)),
  );
  await Promise.all(instances.map((instance) => instance.start()));
  const [[agent], [admin], customers] = await Promise.all([
    insertPeople(db, 'agent', 1),
    insertPeople(db, 'admin', 1),
    insertPeople(db, 'customer', options.customers ?? 20),
  ]);
  if (!agent || !admin) throw new Error('The desk has nobody.');
  const urls = instances.map(({ url }) => url);
  const [first = ''] = urls;
  await call(first, admin, 'POST', '/webhooks', { url: receiver.url, events: ['*'] });
  await call(first, admin, 'POST', '/articles', article);
  // What the model says must come, whether the article would do or not.
  await call(first, admin, 'PATCH', '/settings', { answer_threshold: 0 });
  return { instances, urls, db, redis, fakeAi, receiver, customers, agent, admin };
}

/** A Redis server that can be taken away. */
async function ownRedis(faults: Faults) {
  const port = await freePort();
  let running = await startRedis(port);
  const stop = () => running.stop();
  faults.defer(stop);
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    pid: () => running.pid,
    stop,
    async start(): Promise<void> {
      running = await startRedis(port);
    },
  };
}

export const headersOf = (person: Person): Record<string, string> => ({
  authorization: `Bearer ${person.token}`,
});

/** One request that must succeed. */
export async function call<Body>(
  url: string,
  person: Person,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  path: string,
  body?: object,
): Promise<Body> {
  const reply = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { ...headersOf(person), ...(body && { 'content-type': 'application/json' }) },
    body: body && JSON.stringify(body),
  });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as Body;
}

/** Waits for a state; false when it did not come. */
export async function becomes(
  look: () => Promise<boolean> | boolean,
  withinMs: number,
  everyMs = 20,
): Promise<boolean> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await look())) {
    if (performance.now() > giveUpAt) return false;
    await delay(everyMs);
  }
  return true;
}
