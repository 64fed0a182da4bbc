import { mkdir, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { http } from './http.ts';
import { liveAnswers } from './live-answers.ts';
import { liveFeed } from './live-feed.ts';
import type { Bench, Finding, Question } from './question.ts';
import { retrieval } from './retrieval.ts';
import { searchCache } from './search-cache.ts';
import { start } from './start.ts';
import { releaseDelay } from './release-delay.ts';
import { createDatabases, findPostgres } from './support/databases.ts';
import { describeEnvironment } from './support/environment.ts';
import { createProcesses } from './support/processes.ts';
import { tableOf } from './support/report.ts';
import { webhooks } from './webhooks.ts';

const questions: readonly Question[] = [
  http,
  releaseDelay,
  liveAnswers,
  start,
  retrieval,
  searchCache,
  webhooks,
  liveFeed,
];
const names = questions.flatMap((question) => question.names);

const usage = `Measures the server on this machine; see docs and bench/.

  node bench/run.ts [--only NAME,NAME] [--quick] [--json FILE] [--profile FOLDER]

  --only      some of: ${names.join(', ')}
  --quick     fewer and shorter rounds, to see that it works
  --json      also write all that was measured to this file
  --profile   also write CPU profiles of the server to this folder (they slow it down)`;

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    profile: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const wanted = new Set(values.only?.split(',').map((name) => name.trim()) ?? names);
const unknown = [...wanted].filter((name) => !names.includes(name));
if (values.help || unknown.length > 0) {
  if (unknown.length > 0) console.error(`There is no question ${unknown.join(', ')}.\n`);
  console.log(usage);
  process.exit(unknown.length > 0 ? 2 : 0);
}

const profileDir = values.profile === undefined ? undefined : resolve(values.profile);
if (profileDir !== undefined) await mkdir(profileDir, { recursive: true });

const processes = createProcesses();
const databases = createDatabases(await findPostgres());

async function close(): Promise<void> {
  processes.close();
  await databases.close();
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    console.error('\n  Stopping; cleaning up.');
    void close().finally(() => process.exit(130));
  });
}

const bench: Bench = {
  processes,
  databases,
  quick: values.quick,
  profileOf: (name) => (profileDir === undefined ? undefined : { dir: profileDir, name }),
  tell: (line) => console.error(`  ${line} …`),
};

try {
  await databases.dropLeftOvers();
  const environment = await describeEnvironment(databases);
  const findings: Finding[] = [];
  for (const question of questions) {
    if (question.names.some((name) => wanted.has(name))) {
      findings.push(...(await question.ask(bench, wanted)));
    }
  }
  console.log(tableOf(findings, environment));
  if (values.json !== undefined) {
    const measured = { environment, quick: values.quick, findings };
    await writeFile(values.json, `${JSON.stringify(measured, null, 2)}\n`);
  }
} finally {
  await close();
}
