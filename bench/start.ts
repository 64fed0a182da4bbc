import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Bench, Finding, Question } from './question.ts';
import { secretKey } from './support/people.ts';
import { residentMiB, type ServerProcess } from './support/processes.ts';
import { median, rounded } from './support/statistics.ts';

/*
 * How long from the start of the process until `/health/ready` says yes, and how much memory does it
 * hold when nothing happens? On a PostgreSQL server as in production, and as `npm start` on a fresh
 * clone: embedded database in a new folder, with the sample shop. The peer is the bare framework.
 */

const serverMsMax = 2_000;
const embeddedMsMax = 6_000;
const idleMiBMax = 150;
const idleAfterMs = 3_000;

type Start = { readyMs: number; idleMiB: number };

export const start: Question = { names: ['start'], ask };

async function ask({ processes, databases, quick, tell }: Bench): Promise<Finding[]> {
  tell('start');
  const rounds = quick ? 1 : 5;
  const database = await databases.create();
  const folders: string[] = [];
  const bareMain = new URL('bare-fastify.ts', import.meta.url);
  const production = { NODE_ENV: 'production', DATABASE_URL: database.url, SECRET_KEY: secretKey };
  const starts: Record<'server' | 'embedded' | 'bare', Start[]> = {
    server: [],
    embedded: [],
    bare: [],
  };
  try {
    for (let round = 0; round < rounds; round += 1) {
      starts.server.push(await look(await processes.startServer(production)));
      starts.bare.push(await look(await processes.startServer({}, { main: bareMain })));
      const folder = await mkdtemp(join(tmpdir(), 'support-bench-'));
      folders.push(folder);
      starts.embedded.push(await look(await processes.startServer({ DATA_DIR: folder })));
    }
  } finally {
    for (const folder of folders) await rm(folder, { recursive: true, force: true });
  }
  await database.drop();

  const [server, embedded, bare] = [starts.server, starts.embedded, starts.bare].map(summaryOf);
  if (!server || !embedded || !bare) throw new Error('unreachable');
  const seconds = ({ readyMs }: Start) => `${(readyMs / 1_000).toFixed(2)} s`;
  const common = { floor: seconds(bare), details: { server, embedded, bare, starts } };
  return [
    {
      question: 'start, PostgreSQL',
      server: seconds(server),
      ratio: rounded(server.readyMs / bare.readyMs),
      reach: `≤ ${serverMsMax / 1_000} s`,
      reached: server.readyMs <= serverMsMax,
      ...common,
    },
    {
      question: 'start, embedded',
      server: seconds(embedded),
      ratio: rounded(embedded.readyMs / bare.readyMs),
      reach: `≤ ${embeddedMsMax / 1_000} s`,
      reached: embedded.readyMs <= embeddedMsMax,
      ...common,
    },
    {
      question: 'idle memory',
      server: `${server.idleMiB.toFixed(0)} MiB`,
      floor: `${bare.idleMiB.toFixed(0)} MiB`,
      ratio: rounded(server.idleMiB / bare.idleMiB),
      reach: `≤ ${idleMiBMax} MiB`,
      reached: server.idleMiB <= idleMiBMax,
      details: common.details,
    },
  ];
}

async function look({ pid, readyMs, stop }: ServerProcess): Promise<Start> {
  await delay(idleAfterMs);
  const idleMiB = residentMiB(pid);
  await stop();
  return { readyMs, idleMiB };
}

const summaryOf = (starts: readonly Start[]): Start => ({
  readyMs: Math.round(median(starts.map((one) => one.readyMs))),
  idleMiB: rounded(median(starts.map((one) => one.idleMiB)), 1),
});
