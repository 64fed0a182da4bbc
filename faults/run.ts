import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { freePort } from '../server/test/cli-process.ts';
import { onServer, withName } from '../server/test/database.ts';
import { createRandom } from '../server/test/random.ts';
import {
  demoToken,
  request,
  startServerProcess,
  type ServerProcess,
} from '../server/test/server-process.ts';
import { testDatabaseUrl } from '../server/test/services.ts';
import { findBroken } from './check.ts';
import { createClients } from './clients.ts';
import { startFaultyReceiver } from './receiver.ts';
import { unlimitedEnv } from '../server/test/unlimited-env.ts';

const usage = `Kills the server again and again while people work and a receiver of webhooks fails, then
looks whether anything is lost, twice, or stuck.

  node faults/run.ts [--events N] [--kills N] [--failures SHARE] [--seed N] [--short]

  --short   600 events and 4 kills, for every change; the default is 10,000 and 20`;

const { values } = parseArgs({
  options: {
    events: { type: 'string' },
    kills: { type: 'string' },
    failures: { type: 'string', default: '0.3' },
    seed: { type: 'string' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const eventsWanted = Number(values.events ?? (values.short ? 600 : 10_000));
const killsWanted = Number(values.kills ?? (values.short ? 4 : 20));
const failures = Number(values.failures);
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const random = createRandom(seed);
const settleMs = 300_000;
/** A token lives for ten minutes. */
const tokenMs = 300_000;

const serverUrl = await testDatabaseUrl();
if (!serverUrl) throw new Error('The fault suite needs a PostgreSQL server.');
const name = `support_faults_${randomBytes(4).toString('hex')}`;
const databaseUrl = withName(serverUrl, name);
await onServer(serverUrl, `create database ${name}`);
const dataDir = await mkdtemp(join(tmpdir(), 'support-faults-'));
const receiver = await startFaultyReceiver(random, failures);
const port = await freePort();
const env = {
  DATABASE_URL: databaseUrl,
  DATA_DIR: dataDir,
  PORT: port,
  AI_ENABLED: 'false',
  ...unlimitedEnv,
  WEBHOOK_ALLOW: receiver.host,
  WEBHOOK_TIMEOUT_MS: '500',
  // Enough for bad luck and for every kill: nothing may be given up.
  WEBHOOK_RETRY_SCHEDULE: ['0', ...Array.from({ length: 49 }, () => '0.3')].join(','),
};
console.log(
  `Seed ${seed}: ${eventsWanted} events, ${killsWanted} kills, ${failures * 100} % of requests fail.`,
);

const database = new pg.Client({ connectionString: databaseUrl });
let server: ServerProcess = await startServerProcess(env);
await database.connect();
const { url } = server;

/** A signed-in person of the demo shop; signs in again before the token ends. */
function signedIn(role: string): () => Promise<string> {
  let known: { token: string; at: number } | undefined;
  return async () => {
    if (!known || Date.now() - known.at > tokenMs) {
      known = { token: await demoToken(url, dataDir, role), at: Date.now() };
    }
    return known.token;
  };
}
const [customer, agent, admin] = ['customer', 'agent', 'admin'].map(signedIn);
if (!customer || !agent || !admin) throw new Error('The demo shop has no people.');
const path = '/webhooks';
await request(url, path, { token: await admin(), body: { url: receiver.url, events: ['*'] } });
await Promise.all([customer(), agent()]);

const clients = createClients({ url, random, customer, agent });
const countOf = async (text: string): Promise<number> =>
  (await database.query<{ count: number }>(text)).rows[0]?.count ?? 0;

let kills = 0;
let restarting: Promise<void> | undefined;
async function killAndRestart(): Promise<void> {
  kills += 1;
  await server.stop('SIGKILL');
  server = await startServerProcess(env);
}
const kill = (): void =>
  void (restarting ??= killAndRestart().finally(() => (restarting = undefined)));

/** The moments that matter most: a reply is on its way, and nobody has noted it yet. */
const aims = [
  () => (receiver.onTaken = once(kill, () => (receiver.onTaken = () => undefined))),
  () => (clients.onAcked = once(kill, () => (clients.onAcked = () => undefined))),
  kill,
];
function once(work: () => void, disarm: () => void): () => void {
  return () => {
    disarm();
    work();
  };
}

const startedAt = performance.now();
let events = 0;
let isWorking = true;
async function watch(): Promise<void> {
  while (isWorking) {
    events = await countOf('select count(*)::int as count from events where ticket_id is not null');
    const isDue = events >= ((kills + 1) * eventsWanted) / (killsWanted + 1);
    if (isDue && kills < killsWanted && !restarting) aims[kills % aims.length]?.();
    await delay(20);
  }
}
const watching = watch();
await clients.run(() => events >= eventsWanted && kills >= killsWanted);
isWorking = false;
await watching;
await restarting;
const workedMs = performance.now() - startedAt;

const giveUpAt = Date.now() + settleMs;
const pending = `select count(*)::int as count from webhook_deliveries where state = 'pending'`;
const waiting = `select count(*)::int as count from events where position is null`;
while ((await countOf(pending)) + (await countOf(waiting)) > 0 && Date.now() < giveUpAt) {
  await delay(100);
}
const settledMs = performance.now() - startedAt - workedMs;
const broken = await findBroken(database, receiver, clients.acked);
const attempts = await countOf('select count(*)::int as count from webhook_attempts');
const interrupted = await countOf(
  `select count(*)::int as count from webhook_attempts where outcome = 'interrupted'`,
);

await server.stop('SIGTERM');
await receiver.close();
await database.end();
await onServer(serverUrl, `drop database ${name} with (force)`);
await rm(dataDir, { recursive: true, force: true });

const seconds = (ms: number): string => `${(ms / 1_000).toFixed(0)} s`;
const requests = [...receiver.seen.values()].reduce((sum, times) => sum + times, 0);
console.log(
  [
    `${events} events of ${clients.acked.tickets.size} tickets in ${seconds(workedMs)}, ` +
      `${kills} times kill -9, settled ${seconds(settledMs)} later.`,
    `${attempts} attempts in the log (${interrupted} interrupted), ${requests} requests at the receiver.`,
    ...(broken.length > 0
      ? broken.map((what) => `BROKEN: ${what}`)
      : ['Nothing lost, twice or stuck.']),
  ].join('\n'),
);
if (broken.length > 0) process.exitCode = 1;
