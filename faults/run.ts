import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createDatabases, findPostgres } from '../bench/support/databases.ts';
import { createRandom } from '../server/test/random.ts';
import type { Faults, Figure, Scenario } from './scenario.ts';
import { concurrentWrites } from './concurrent-writes.ts';
import { idleStreams } from './idle-streams.ts';
import { overload } from './overload.ts';
import { postgres } from './postgres.ts';
import { recovery } from './recovery.ts';
import { redis } from './redis.ts';
import { rollingRestart } from './rolling-restart.ts';
import { stalledReaders } from './stalled-readers.ts';
import { streamCuts } from './stream-cuts.ts';
import { twoInstances } from './two-instances.ts';
import { webhooks } from './webhooks.ts';

/** Those that take longest first: `--short` performs several at once. */
const scenarios: readonly Scenario[] = [
  webhooks,
  concurrentWrites,
  recovery,
  twoInstances,
  streamCuts,
  rollingRestart,
  postgres,
  overload,
  stalledReaders,
  redis,
  idleStreams,
];

const usage = `Breaks what the server stands on while people work, then looks whether anything is lost, twice, or stuck.
Needs PostgreSQL on loopback, redis-server, and Linux.

  node faults/run.ts [--only NAME,NAME] [--seed N] [--kills N] [--short]

  --only    some of:
${scenarios.map(({ name, about }) => `              ${name.padEnd(18)} ${about}`).join('\n')}
  --seed    of everything that is random; the run says which it was
  --kills   of concurrent-writes; a release has 1,000
  --short   a little of everything in a minute, for every change`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    seed: { type: 'string' },
    kills: { type: 'string' },
    short: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const wanted = values.only?.split(',').map((name) => name.trim());
const unknown = wanted?.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (values.help || unknown?.length) {
  if (unknown?.length) console.error(`There is no scenario ${unknown.join(', ')}.\n`);
  console.log(usage);
  process.exit(unknown?.length ? 2 : 0);
}

/** Of `--short`. */
const shortAtOnce = 3;

const seed = Number(values.seed ?? Date.now() % 1_000_000);
const serverUrl = await findPostgres();
const folder = await mkdtemp(join(tmpdir(), 'support-faults-'));
const repository = fileURLToPath(new URL('..', import.meta.url));
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
  cwd: repository,
}).toString();
console.log(
  `Seed ${seed}, commit ${commit.trim()}, Node ${process.version}, ${cpus().length} cores of ${cpus()[0]?.model}, load ${(loadavg()[0] ?? 0).toFixed(1)}.`,
);
await createDatabases(serverUrl).dropLeftOvers();

let kills = 0;
let broken = 0;
const open = new Set<AsyncDisposableStack>();

/** One scenario in a world of its own, which ends with it. */
async function perform({ run, about, name }: Scenario): Promise<void> {
  await using closing = new AsyncDisposableStack();
  open.add(closing);
  closing.defer(() => void open.delete(closing));
  const faults: Faults = {
    short: values.short,
    kills: values.kills === undefined ? undefined : Number(values.kills),
    random: createRandom(seed),
    serverUrl,
    folder,
    defer: (close) => closing.defer(async () => void (await close())),
    countKill: () => (kills += 1),
  };
  const startedAt = performance.now();
  const lines = (await run(faults).catch(interrupted)).map(lineOf);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
  console.log([`\n${name}: ${about} (${seconds} s)`, ...lines].join('\n'));
}

/** What a scenario could not show does not hold. */
const interrupted = (error: unknown): Figure[] => [
  { what: 'interrupted', measured: String(error), promise: 'to its end', holds: false },
];

function lineOf({ what, measured, promise, holds, isOfSpeed }: Figure): string {
  if (!holds && !isOfSpeed) broken += 1;
  const verdict = holds ? '' : isOfSpeed ? '   MISSED' : '   BROKEN';
  return `  ${what}: ${measured} (${promise})${verdict}`;
}

async function performAll(waiting: Scenario[]): Promise<void> {
  for (let next = waiting.shift(); next; next = waiting.shift()) await perform(next);
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    const closing = [...open].map((stack) => stack.disposeAsync());
    void Promise.allSettled(closing).then(() => process.exit(130));
  });
}

const startedAt = performance.now();
const chosen = scenarios.filter(({ name }) => !wanted || wanted.includes(name));
// Much of most is waiting: a minute is enough when they do it together.
const together = chosen.filter(({ isAlone }) => values.short && !isAlone);
await Promise.all(Array.from({ length: shortAtOnce }, () => performAll(together)));
await performAll(chosen.filter(({ isAlone }) => !values.short || isAlone));
const seconds = ((performance.now() - startedAt) / 1_000).toFixed(0);
const verdict = broken === 0 ? 'nothing is broken' : `${broken} promises are broken`;
console.log(`\n${kills} times kill -9 in ${seconds} s: ${verdict}.`);
if (broken === 0) await rm(folder, { recursive: true, force: true });
else console.log(`The logs of the instances are in ${folder}.`);
process.exitCode = broken === 0 ? 0 : 1;
