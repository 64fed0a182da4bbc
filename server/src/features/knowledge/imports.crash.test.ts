import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../../../test/database.ts';
import { until } from '../../../test/harness.ts';
import { expectExactIndex } from '../../../test/index-recount.ts';
import type { Json } from '../../../test/reply.ts';
import {
  demoToken,
  request,
  startServerProcess,
  type ServerProcess,
} from '../../../test/server-process.ts';
import { connectEmbedded } from '../../platform/database/connect.ts';
import { openEmbedded } from '../../platform/database/embedded.ts';
import type { Tables } from '../../tables.ts';

let dataDir: string;
let testDatabase: TestDatabase;
let env: Record<string, string>;
let running: ServerProcess | undefined;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'support-import-'));
  testDatabase = await createTestDatabase();
  env = { DATA_DIR: dataDir, ...(testDatabase.url && { DATABASE_URL: testDatabase.url }) };
});
afterAll(async () => {
  await running?.stop('SIGKILL');
  await testDatabase.drop();
  await rm(dataDir, { recursive: true, force: true });
});

const start = async () => {
  const server = (running = await startServerProcess(env));
  const token = await demoToken(server.url, dataDir, 'admin');
  const call = (path: string, body?: unknown) => request(server.url, path, { token, body });
  return { server, call };
};

const total = 150;
const parts = {
  Use: 'Press the green button twice and wait for the lamp.',
  Care: 'Wipe the surface with a soft cloth, and never with alcohol.',
  Repair: 'Open four screws, replace the fuse, and close the lid again.',
};
/** Every chunk of an article names its number and the state of the world. */
const filesOf = (world: 'old' | 'new') =>
  Array.from({ length: total }, (_, at) => ({
    path: `gadgets/${at}.md`,
    content: [
      `---\ntitle: Gadget ${at} of the ${world} world\n---`,
      ...Object.entries(parts).map(
        ([part, text]) => `## ${part}\n\nGadget${at} is ${world}world. ${text}`,
      ),
    ].join('\n\n'),
  }));

/** Which world an article and its chunks are of; more than one would be a mixture. */
const worldsIn = (...texts: string[]): string[] => [
  ...new Set(texts.flatMap((text) => text.match(/\b(old|new)(?=\s?world)/g) ?? [])),
];

async function worldOf(
  call: (path: string) => Promise<Json>,
  at: number,
): Promise<string | undefined> {
  const { data } = await call(`/articles/search?q=gadget${at}&limit=20`);
  const chunks = data.filter(({ content }: Json) => content.includes(`Gadget${at} `));
  expect(chunks.length).toBeGreaterThan(1);
  const article = await call(`/articles/${chunks[0].article_id}`);
  const found = chunks.flatMap((chunk: Json) => [chunk.title, chunk.content]);
  const worlds = worldsIn(article.title, article.body, ...found);
  expect(worlds).toHaveLength(1);
  return worlds[0];
}

test('kill -9 during an import leaves every article old or new, and the import goes on', async () => {
  const { server, call } = await start();
  const ended = (id: string, ask = call) =>
    until(
      'the import to end',
      async () => {
        const state = await ask(`/articles/imports/${id}`);
        return state.status === 'completed' && state;
      },
      60_000,
    );
  const first = await call('/articles/import', { articles: filesOf('old') });
  expect(await ended(first.id)).toMatchObject({ done: total, failed: 0 });

  const second = await call('/articles/import', { articles: filesOf('new') });
  const half = await until('some of it to be done', async () => {
    const state = await call(`/articles/imports/${second.id}`);
    return state.done > 40 && state;
  });
  expect(half.status).toBe('running');
  await server.stop('SIGKILL');

  const restarted = Date.now();
  const again = await start();
  const sample = Array.from({ length: 30 }, (_, at) => at * 5);
  const worlds = await Promise.all(sample.map((at) => worldOf(again.call, at)));
  expect(new Set(worlds)).toEqual(new Set(['old', 'new']));

  const goneOn = await until(
    'the import to go on',
    async () => {
      const state = await again.call(`/articles/imports/${second.id}`);
      return state.done > half.done + 20 && Date.now();
    },
    40_000,
  );
  expect(goneOn - restarted).toBeLessThan(30_000);
  expect(await ended(second.id, again.call)).toMatchObject({ done: total, failed: 0 });
  for (const at of sample) expect(await worldOf(again.call, at)).toBe('new');
  // Two signals at once are one: the server stops cleanly all the same.
  const codes = [again.server.stop('SIGINT'), again.server.stop('SIGTERM')];
  expect(await Promise.all(codes)).toEqual([0, 0]);
  await onDatabase(expectExactIndex);
});

/** Looks into the database when no server has it. */
async function onDatabase(
  look: (db: TestDatabase['database']['db']) => Promise<void>,
): Promise<void> {
  if (testDatabase.url) return look(testDatabase.database.db);
  const { pglite, release } = await openEmbedded(dataDir);
  try {
    await look(connectEmbedded<Tables>(pglite).db);
  } finally {
    await pglite.close();
    await release();
  }
}
