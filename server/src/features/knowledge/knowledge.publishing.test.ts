import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';
import { countStaged, expectExactIndex } from '../../../test/index-recount.ts';
import { createRandom } from '../../../test/random.ts';
import type { Json } from '../../../test/reply.ts';
import { chunksOf } from './chunks.ts';
import * as index from './index.repository.ts';
import { defaultLanguage, type Language } from '../settings/settings.defaults.ts';
import { createPublisher } from './publish.ts';

let app: TestApp;
let admin: TestClient;
let agent: TestClient;
beforeAll(async () => {
  app = await startTestApp();
  admin = await app.as('admin');
  agent = await app.as('agent');
});
beforeEach(async () => {
  for (const { id } of await app.db.selectFrom('articles').select('id').execute()) {
    await admin.delete(urlOf(id));
  }
});
afterAll(() => app.close());

const urlOf = (id: string): string => `/api/v1/articles/${id}`;
const published = (words: string, rest: object = {}) => ({
  title: `About ${words}`,
  body: `## Facts\n\nEverything on ${words} stands here.\n\n## More\n\nEven more on ${words}.`,
  status: 'published',
  ...rest,
});
const publish = async (words: string, rest: object = {}): Promise<Json> =>
  (await admin.post('/api/v1/articles', published(words, rest))).body;
const found = async (q: string): Promise<string[]> => {
  const { body } = await admin.get(`/api/v1/articles/search?q=${encodeURIComponent(q)}&limit=20`);
  return body.data.map((result: Json) => result.content as string);
};
const knowledgeVersion = async (): Promise<number> => {
  const row = await app.db.selectFrom('knowledge_totals').select('version').executeTakeFirst();
  return row?.version ?? -1;
};

const lexemes = async (): Promise<string[]> =>
  (await app.db.selectFrom('lexemes').select('lexeme').execute()).map(({ lexeme }) => lexeme);

describe('a publication', () => {
  test('shows in the very next search, whatever it changes', async () => {
    const { id } = await publish('umbrellas');
    expect(await found('umbrella')).toHaveLength(2);
    await admin.patch(urlOf(id), { body: 'Now it is about parasols.' });
    expect(await found('parasol')).toEqual(['Now it is about parasols.']);
    expect(await found('facts')).toEqual([]);
    await admin.patch(urlOf(id), { title: 'Shade' });
    expect(await found('umbrella')).toEqual([]);
    expect(await found('shade')).toHaveLength(1);
    await admin.patch(urlOf(id), { status: 'archived' });
    expect(await found('parasol')).toEqual([]);
    await admin.patch(urlOf(id), { status: 'published' });
    expect(await found('parasol')).toHaveLength(1);
    await admin.delete(urlOf(id));
    expect(await found('parasol')).toEqual([]);
    await expectExactIndex(app.db);
    expect(await countStaged(app.db)).toBe(0);
  });

  test('raises the version of the knowledge, and nothing else does', async () => {
    const before = await knowledgeVersion();
    const { id } = await publish('gloves');
    expect(await knowledgeVersion()).toBe(before + 1);
    await admin.patch(urlOf(id), { tags: ['hands'] });
    await admin.patch(urlOf(id), { status: 'archived' });
    expect(await knowledgeVersion()).toBe(before + 3);
    await admin.patch(urlOf(id), { title: 'Archived gloves' });
    await admin.delete(urlOf(id));
    await publish('a draft', { status: 'draft' });
    await found('gloves');
    expect(await knowledgeVersion()).toBe(before + 3);
  });

  test('keeps what it published, so that the source of an old answer can be read', async () => {
    const { id } = await publish('scarves');
    const [passage] = await app.container.knowledge.search(undefined, 'scarves', 1);
    await admin.patch(urlOf(id), { title: 'Shawls', body: 'Shawls only.' });
    const cited = await agent.get(`${urlOf(id)}/versions/${passage?.version}`);
    expect(cited).toMatchObject({
      status: 200,
      body: { article_id: id, version: 1, title: 'About scarves', created_by: admin.user.id },
    });
    expect(cited.body.body).toContain(passage?.content);
    expect((await agent.get(`${urlOf(id)}/versions/2`)).body.title).toBe('Shawls');
    expect((await agent.get(`${urlOf(id)}/versions/3`)).status).toBe(404);
    expect((await agent.get(urlOf(id))).body).toMatchObject({ version: 2, published_version: 2 });
  });

  test('is found also when there is no text but headings, or none at all', async () => {
    await publish('opening', { body: '# We are open 9 to 5\n## Closed on Sunday' });
    await publish('balloons', { body: '# ' });
    expect(await found('sunday')).toHaveLength(1);
    expect(await found('balloons')).toEqual(['About balloons']);
    await expectExactIndex(app.db);
  });

  test('of an article of 200,000 characters is whole', async () => {
    const body = Array.from({ length: 180 }, (_, at) => `## Part ${at}\n\n${'stone '.repeat(180)}`);
    const { id } = await publish('quarries', { body: body.join('\n\n') });
    const { rows } = await sql<{ ordinal: number }>`
      select ordinal from article_chunks where article_id = ${id} order by ordinal`.execute(app.db);
    expect(rows.map(({ ordinal }) => ordinal)).toEqual(rows.map((_, at) => at));
    expect(rows).toHaveLength(chunksOf(body.join('\n\n')).length);
    await expectExactIndex(app.db);
  });
});

test('many publications leave one calibration to do', async () => {
  await publish('ladders');
  await publish('stairs');
  const { rows } = await sql`
    select state::text as state from pgboss.job where name = 'knowledge.calibrate'`.execute(app.db);
  expect(rows).toEqual([{ state: 'created' }]);
});

test('indexing anew in another language changes the words, not what is published', async () => {
  const { id } = await publish('Geschichten', { body: 'Die Geschichte der Häuser.' });
  const knowledgeBefore = await knowledgeVersion();
  await admin.patch('/api/v1/settings', { language: 'german' });
  try {
    expect(await lexemes()).toContain('die');
    await app.container.knowledge.reindex({ signal: new AbortController().signal });
    expect(await lexemes()).not.toContain('die');
    expect(await found('Haus')).toEqual(['Die Geschichte der Häuser.']);
    expect((await admin.get(urlOf(id))).body).toMatchObject({ version: 1, published_version: 1 });
    expect(await knowledgeVersion()).toBe(knowledgeBefore + 1);
    await expectExactIndex(app.db);
    expect(await countStaged(app.db)).toBe(0);
  } finally {
    await admin.patch('/api/v1/settings', { language: 'english' });
  }
});

test('what is staged while the language changes is indexed in the new one', async () => {
  const seen: Language[] = ['english'];
  const publisher = createPublisher({
    db: app.db,
    events: app.container.events,
    language: async () => seen.shift() ?? 'german',
    onChange: async () => undefined,
  });
  const fields = {
    title: 'Geschichten',
    body: 'Die Geschichte der Häuser.',
    tags: [],
    audience: 'public',
    status: 'published',
  } as const;
  const { id } = await publisher.write({ ...fields, tags: [] }, (_db, save) =>
    save(admin.user.id, undefined, { ...fields, tags: [] }),
  );
  expect(await lexemes()).toContain('geschicht');
  expect(await lexemes()).not.toContain('die');
  seen.push('english');
  await publisher.reindex(id);
  expect(seen).toEqual([]);
  expect(await lexemes()).not.toContain('die');
  expect((await admin.get(urlOf(id))).body).toMatchObject({ version: 1, published_version: 1 });
  await expectExactIndex(app.db);
  expect(await countStaged(app.db)).toBe(0);
});

describe('a crash before the commit', () => {
  const stageNew = (title: string, body: string) =>
    index.stage(app.db, defaultLanguage, title, chunksOf(body));

  test('leaves what was published, and what it staged is cleaned up an hour later', async () => {
    const { id } = await publish('lanterns');
    const staging = await stageNew('About torches', 'Torches, torches.');
    expect(staging).toHaveLength(1);
    expect(await found('torches')).toEqual([]);
    expect(await found('lantern')).toHaveLength(2);
    await expectExactIndex(app.db);

    const cleanUp = () => app.container.knowledge.cleanUp({ signal: new AbortController().signal });
    await cleanUp();
    expect(await countStaged(app.db)).toBe(1);
    await sql`update article_chunks set staged_at = now() - interval '2 hours'`.execute(app.db);
    await cleanUp();
    expect(await countStaged(app.db)).toBe(0);
    expect(await found('lantern')).toHaveLength(2);
    expect((await admin.get(urlOf(id))).body.published_version).toBe(1);
    await expectExactIndex(app.db);
  });

  test('in the transaction itself changes nothing', async () => {
    const { id } = await publish('candles');
    const staging = await stageNew('About matches', 'Matches, matches.');
    const broken = app.db.transaction().execute(async (db) => {
      await index.replaceChunks(db, id, 2, staging);
      throw new Error('the connection is gone');
    });
    await expect(broken).rejects.toThrow('gone');
    expect(await found('matches')).toEqual([]);
    expect(await found('candle')).toHaveLength(2);
    await expectExactIndex(app.db);
    await index.removeChunks(app.db, staging);
  });

  test('staged chunks that are gone cannot be published', async () => {
    const { id } = await publish('ropes');
    const staging = await stageNew('About knots', 'Knots.');
    await index.removeChunks(app.db, staging);
    const late = app.db.transaction().execute((db) => index.replaceChunks(db, id, 2, staging));
    await expect(late).rejects.toThrow('expired');
    await expectExactIndex(app.db);
  });
});

describe('at the same time', () => {
  test('edits of one article all happen, one on top of the other', async () => {
    const { id } = await publish('bridges');
    const edits = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        admin.patch(urlOf(id), at % 2 === 0 ? { title: `Bridge ${at}` } : { tags: [`tag${at}`] }),
      ),
    );
    expect(edits.map(({ status }) => status)).toEqual(Array(8).fill(200));
    const { body } = await admin.get(urlOf(id));
    expect(body).toMatchObject({ version: 9, published_version: 9 });
    expect(body.title).toMatch(/^Bridge [0246]$/);
    expect(body.tags).toHaveLength(1);
    await expectExactIndex(app.db);
    expect(await countStaged(app.db)).toBe(0);
  });

  test('of edits that are based on one version one happens, the others learn of it', async () => {
    const { id } = await publish('tunnels');
    const edits = await Promise.all(
      Array.from({ length: 6 }, (_, at) =>
        admin.patch(urlOf(id), { body: `Tunnel ${at}.` }, { 'if-match': '"1"' }),
      ),
    );
    expect(edits.map(({ status }) => status).sort()).toEqual([200, 412, 412, 412, 412, 412]);
    expect((await admin.get(urlOf(id))).body.version).toBe(2);
    await expectExactIndex(app.db);
    expect(await countStaged(app.db)).toBe(0);
  });

  test('the index stays exact under random changes by many', async () => {
    const random = createRandom(20_261);
    const words = ['parcel', 'letter', 'stamp', 'box', 'label', 'tape'];
    const text = () =>
      Array.from({ length: 12 }, () => words[Math.floor(random() * words.length)]).join(' ');
    const ids: string[] = [];
    for (let at = 0; at < 6; at += 1) ids.push((await publish(text())).id);
    const change = async (): Promise<number> => {
      const id = ids[Math.floor(random() * ids.length)] ?? '';
      const kind = random();
      if (kind < 0.1) return (await admin.delete(urlOf(id))).status;
      if (kind < 0.3) return (await admin.patch(urlOf(id), { status: 'archived' })).status;
      if (kind < 0.4) return (await admin.patch(urlOf(id), { status: 'draft' })).status;
      if (kind < 0.5) {
        const { status, body } = await admin.post('/api/v1/articles', published(text()));
        ids.push(body.id);
        return status;
      }
      const body = `${text()}\n\n## ${text()}\n\n${text()}`;
      return (await admin.patch(urlOf(id), { body, status: 'published' })).status;
    };
    for (let round = 0; round < 8; round += 1) {
      const statuses = await Promise.all(Array.from({ length: 8 }, change));
      expect(statuses.filter((status) => status >= 500)).toEqual([]);
      await expectExactIndex(app.db);
    }
    expect(await countStaged(app.db)).toBe(0);
  });
});

test('creating an article twice with one key makes one, found once', async () => {
  const headers = { 'idempotency-key': randomUUID() };
  const first = await admin.post('/api/v1/articles', published('kites'), headers);
  const again = await admin.post('/api/v1/articles', published('kites'), headers);
  expect(again).toMatchObject({ status: 201, headers: { 'idempotent-replayed': 'true' } });
  expect(again.body.id).toBe(first.body.id);
  expect(await found('kite')).toHaveLength(2);
  expect(await countStaged(app.db)).toBe(0);
  const other = await admin.post('/api/v1/articles', published('swings'), headers);
  expect(other).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
  await expectExactIndex(app.db);
});
