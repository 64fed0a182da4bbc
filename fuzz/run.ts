import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { onServer, withName } from '../server/test/database.ts';
import { startFakeAi } from '../server/test/fake-ai.ts';
import { startFakeSmtp } from '../server/test/fake-smtp.ts';
import { operationsOf, type Document } from '../server/test/openapi.ts';
import { request as ask, startServerProcess } from '../server/test/server-process.ts';
import { testDatabaseUrl } from '../server/test/services.ts';
import { unlimitedEnv } from '../server/test/unlimited-env.ts';
import { createCheck } from './check.ts';
import { createDice } from './dice.ts';
import { createPeople, type Person } from './people.ts';
import { createPool } from './pool.ts';
import {
  allowedHost,
  createRequests,
  exchangeSecret,
  metricsToken,
  type FuzzRequest,
} from './requests.ts';
import { asCurl, send } from './send.ts';

const usage = `Sends good and spoilt requests for every operation of the OpenAPI document to a server, and looks
whether each reply is what the document says, and none a fault of the server.

  node fuzz/run.ts [--requests N] [--seed N] [--short] [--statuses]

  --short      4,000 requests, for every change; the default is 50,000
  --statuses   shows how often each operation gave which status`;

const { values } = parseArgs({
  options: {
    requests: { type: 'string' },
    seed: { type: 'string' },
    short: { type: 'boolean', default: false },
    statuses: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(usage);
  process.exit(0);
}

const requestsWanted = Number(values.requests ?? (values.short ? 4_000 : 50_000));
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const atOnce = 4;
/** Some states take time to come about, however fast the requests are. */
const reachMsMax = 60_000;
const problemsShownMax = 20;

const serverUrl = await testDatabaseUrl();
if (!serverUrl) throw new Error('The fuzz needs a PostgreSQL server.');
const name = `support_fuzz_${randomBytes(4).toString('hex')}`;
await onServer(serverUrl, `create database ${name}`);
const dataDir = await mkdtemp(join(tmpdir(), 'support-fuzz-'));
const [ai, smtp] = [await startFakeAi(), await startFakeSmtp()];
const secretKey = randomBytes(48).toString('base64url');
const server = await startServerProcess({
  DATABASE_URL: withName(serverUrl, name),
  DATA_DIR: dataDir,
  SECRET_KEY: secretKey,
  METRICS_TOKEN: metricsToken,
  EXCHANGE_SECRET: exchangeSecret,
  ...unlimitedEnv,
  STREAMS_PER_USER_MAX: '1000',
  EVENT_LOOP_LAG_MS_MAX: '600000',
  AI_PROVIDER: 'openai-compatible',
  AI_BASE_URL: `${ai.url}/v1`,
  AI_MODEL: 'fake/slow?delay=200',
  OPENAI_API_KEY: 'none',
  SMTP_URL: smtp.url,
  MAIL_FROM: 'support@example.com',
  MAILS_PER_HOUR_MAX: '1000',
  WEBHOOK_ALLOW: allowedHost,
  // Tried once: what never succeeds would become most of the work.
  WEBHOOK_RETRY_SCHEDULE: '0',
});
const { url } = server;
const database = new pg.Pool({ connectionString: withName(serverUrl, name), max: 1 });

const document = (await ask(url, '/openapi.json')) as Document;
const operations = operationsOf(document);
const pool = createPool();
const people = await createPeople(database, secretKey);
const makeRequest = createRequests(document, people, pool);
const check = createCheck(document);
const statuses = new Map(
  operations.map(({ operationId }) => [operationId, new Map<number, number>()]),
);
const problems = new Map<string, string>();

/** One line for each kind of problem: the first request that had it. */
function report(number: number, request: FuzzRequest, problem: string): void {
  const kind = `${request.operation.operationId}: ${problem.replaceAll(/[\da-f-]{36}/g, 'id')}`;
  if (problems.has(kind)) return;
  problems.set(kind, `${kind}\n  request ${number}: ${asCurl(url, request)}`);
}

/** Mails and streams say what requests need, too. */
function harvestMails(): void {
  for (const { text } of smtp.mails.splice(0)) {
    const [, token] = /set-password\S*[#?=]([\w.-]+)/.exec(text) ?? [];
    if (token) pool.add('password-resets', token);
  }
}

const hasSucceeded = (operationId: string): boolean =>
  [...(statuses.get(operationId)?.keys() ?? [])].some((status) => status >= 200 && status < 300);

/** Signed out, or an admin no more. */
const hasLost = ({ role }: Person, status: number): boolean =>
  status === 401 || (status === 403 && role === 'admin');

const unreached = () => operations.filter(({ operationId }) => !hasSucceeded(operationId));

async function perform(number: number): Promise<void> {
  const dice = createDice(seed * 1_000_003 + number);
  if (dice.chance(0.01))
    ai.script(dice.pick(['no-answer', 'handoff', 'clarify', 'cut', 'bad-request']));
  harvestMails();
  // What has not succeeded yet needs a state that comes about rarely: it is tried more often.
  const aims = unreached();
  const isAimed = aims.length > 0 && dice.chance(0.2);
  const operation = dice.pick(isAimed ? aims : operations);
  const request = makeRequest(operation, dice, isAimed);
  const { who, ids } = request;
  try {
    const reply = await send(url, request);
    const { status, headers } = reply;
    const body: unknown = reply.body;
    const problem = check(request, reply);
    if (problem) report(number, request, problem);
    const counts = statuses.get(operation.operationId);
    counts?.set(status, (counts.get(status) ?? 0) + 1);
    if (status < 300 && typeof body === 'object') pool.harvest(operation, ids, body);
    if (headers['content-type']?.startsWith('text/event-stream')) {
      for (const [, id = ''] of String(body).matchAll(/^id: ?(.+)$/gm)) pool.add('frames', id, ids);
    }
    if (who) pool.add('emails', who.email);
    if (who && hasLost(who, status)) await people.replace(who);
  } catch (error) {
    report(number, request, String(error));
  }
}

console.log(`Seed ${seed}: ${requestsWanted} requests for ${operations.length} operations.`);
const startedAt = performance.now();
let sent = 0;
const goesOn = (): boolean =>
  sent < requestsWanted || (unreached().length > 0 && performance.now() - startedAt < reachMsMax);
async function work(): Promise<void> {
  while (goesOn() && problems.size < problemsShownMax) await perform((sent += 1));
}
await Promise.all(Array.from({ length: atOnce }, work));
const seconds = (performance.now() - startedAt) / 1_000;

const found = [...problems.values()];
for (const { operationId } of operations) {
  const counts = [...(statuses.get(operationId) ?? [])].sort(([one], [other]) => one - other);
  if (values.statuses) {
    console.log(
      `${operationId.padEnd(26)} ${counts.map(([status, n]) => `${status}: ${n}`).join('  ')}`,
    );
  }
  if (!hasSucceeded(operationId))
    found.push(`${operationId}: no request succeeded, so it was hardly tried.`);
}
const isReady = await fetch(`${url}/health/ready`).then(
  ({ ok }) => ok,
  () => false,
);
if (!isReady) found.push('The server is not ready any more.');
const exitCode = await server.stop('SIGTERM');
if (exitCode !== 0) found.push(`SIGTERM ended the server with ${exitCode}.`);
for (const line of server.output().split('\n')) {
  if (/^\{"level":[56]0/.test(line)) found.push(`The server logged: ${line.slice(0, 2_000)}`);
}
await Promise.all([ai.close(), smtp.close(), database.end()]);
await onServer(serverUrl, `drop database ${name} with (force)`);
await rm(dataDir, { recursive: true, force: true });

const total = new Map<number, number>();
for (const counts of statuses.values()) {
  for (const [status, count] of counts) total.set(status, (total.get(status) ?? 0) + count);
}
const totals = [...total].sort(([one], [other]) => one - other);
console.log(
  [
    `${sent} requests in ${seconds.toFixed(0)} s: ${totals.map(([status, n]) => `${n} × ${status}`).join(', ')}.`,
    ...(found.length > 0
      ? found.slice(0, 2 * problemsShownMax).map((what) => `BROKEN: ${what}`)
      : ['Every reply was as the document says.']),
  ].join('\n'),
);
if (found.length > 0) process.exitCode = 1;
