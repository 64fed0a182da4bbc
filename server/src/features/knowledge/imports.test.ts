import { setImmediate as nextTurn } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, until, type TestApp, type TestClient } from '../../../test/harness.ts';
import { expectExactIndex } from '../../../test/index-recount.ts';
import type { Json } from '../../../test/reply.ts';
import { readItems } from './imports.schemas.ts';

let app: TestApp;
let admin: TestClient;
let agent: TestClient;
beforeAll(async () => {
  app = await startTestApp({ env: { RUN_JOBS: 'true' } });
  admin = await app.as('admin');
  agent = await app.as('agent');
});
afterAll(() => app.close());

type File = { path: string; content: string };
const file = (path: string, title: string, body: string, more = ''): File => ({
  path,
  content: `---\ntitle: ${title}\n${more}---\n\n${body}\n`,
});

async function importAll(articles: File[]): Promise<Json> {
  const { status, body, headers } = await admin.post('/api/v1/articles/import', { articles });
  expect(status).toBe(202);
  expect(headers['location']).toBe(`/api/v1/articles/imports/${body.id}`);
  return until('the import to end', async () => {
    const reply = await agent.get(headers['location'] ?? '');
    return reply.body.status === 'completed' && reply.body;
  });
}

const bySource = (source: string) =>
  app.db.selectFrom('articles').selectAll().where('source', '=', source).executeTakeFirst();
const titles = async (q: string): Promise<string[]> =>
  (await app.anonymous.get(`/api/v1/articles/search?q=${q}`)).body.data.map(
    (one: Json) => one.title,
  );

describe('an import', () => {
  test('publishes what the files say, and can be repeated', async () => {
    const files = [
      file('a/kayaks.md', 'Kayaks', 'Paddle a kayak.', 'tags: [boats, water]\n'),
      file('a/canoes.md', 'Canoes', 'Paddle a canoe.', 'audience: internal\n'),
      file('a/rafts.md', 'Rafts', 'Build a raft.', 'status: draft\nslug: rafts\n'),
    ];
    expect(await importAll(files)).toMatchObject({ total: 3, done: 3, skipped: 0, failed: 0 });
    expect(await titles('kayak')).toEqual(['Kayaks']);
    expect(await titles('canoe')).toEqual([]);
    expect(await bySource('a/kayaks.md')).toMatchObject({ tags: ['boats', 'water'], version: 1 });
    expect(await bySource('rafts')).toMatchObject({ status: 'draft', published_version: null });

    const [kayaks, ...others] = files as [File, ...File[]];
    const changed = { ...kayaks, content: kayaks.content.replace('a kayak', 'an eskimo boat') };
    const again = await importAll([changed, ...others]);
    expect(again).toMatchObject({ total: 3, done: 1, skipped: 2, failed: 0, errors: [] });
    expect(await titles('eskimo')).toEqual(['Kayaks']);
    expect(await bySource('a/kayaks.md')).toMatchObject({ version: 2, published_version: 2 });
    expect(await bySource('rafts')).toMatchObject({ version: 1 });
    await expectExactIndex(app.db);
  });

  test('takes an article out of the search that its file archives', async () => {
    await importAll([file('b/anchors.md', 'Anchors', 'Drop an anchor.')]);
    expect(await titles('anchor')).toEqual(['Anchors']);
    await importAll([file('b/anchors.md', 'Anchors', 'Drop an anchor.', 'status: archived\n')]);
    expect(await titles('anchor')).toEqual([]);
  });

  test('goes on behind files that it cannot use, and says what is wrong with each', async () => {
    const report = await importAll([
      { path: 'c/none.md', content: 'Just text.' },
      { path: 'c/yaml.md', content: '---\ntitle: [oops\n---\nText.' },
      { path: 'c/keys.md', content: `---\n${'? '.repeat(950)}\n---\nText.` },
      { path: 'c/matter.md', content: `---\ntitle: Sails\nx: ${'x'.repeat(2_000)}\n---\nText.` },
      { path: 'c/middle.md', content: '--- Ahoy\n\n---\ntitle: Sails\n---\nHoist a sail.' },
      { path: 'c/list.md', content: '---\n- one\n---\nText.' },
      file('c/audience.md', 'Sails', 'Hoist a sail.', 'audience: everybody\n'),
      file('c/tags.md', 'Sails', 'Hoist a sail.', 'tags: sails\n'),
      file('c/empty.md', 'Sails', ''),
      file('c/long.md', 'Sails', 'sail '.repeat(50_000)),
      file('c/nul.md', '"Sa\\0ils"', 'Hoist a sail.'),
      file('c/good.md', 'Masts', 'Step a mast.', 'layout: page\ndate: 2026-01-01\n'),
      file('c/twice.md', 'Masts', 'Step a mast again.', 'slug: c/good.md\n'),
    ]);
    expect(report).toMatchObject({ total: 13, done: 1, failed: 12 });
    const messages = Object.fromEntries(
      report.errors.map(({ path, message }: Json) => [path, message]),
    );
    expect(messages).toEqual({
      'c/none.md': expect.stringContaining('`title`'),
      'c/yaml.md': expect.stringContaining('not valid YAML'),
      'c/keys.md': expect.stringContaining('not valid YAML'),
      'c/matter.md': 'The front matter has more than 2000 characters.',
      'c/middle.md': expect.stringContaining('`title`'),
      'c/list.md': expect.stringContaining('not a list of names'),
      'c/audience.md': '`audience` must be one of: public, internal.',
      'c/tags.md': expect.stringContaining('`tags`'),
      'c/empty.md': expect.stringContaining('below the front matter'),
      'c/long.md': expect.stringContaining('200000'),
      'c/nul.md': expect.stringContaining('`title`'),
      'c/twice.md': 'c/good.md has the same `slug` or path.',
    });
    expect(await titles('mast')).toEqual(['Masts']);
  });

  test('goes on behind an article that is too much for the database', async () => {
    await sql`
      create function refuse() returns trigger language plpgsql as $$ begin
        raise exception 'canceling statement due to statement timeout' using errcode = '57014';
      end $$`.execute(app.db);
    await sql`
      create trigger refuse before insert on articles for each row
        when (new.title = 'Whales') execute function refuse()`.execute(app.db);
    const report = await importAll([
      file('g/whales.md', 'Whales', 'Watch a whale.'),
      file('g/seals.md', 'Seals', 'Watch a seal.'),
    ]);
    expect(report).toMatchObject({ done: 1, failed: 1, errors: [{ path: 'g/whales.md' }] });
    await sql`drop function refuse cascade`.execute(app.db);
  });

  test('that has not come to an end within a day has failed', async () => {
    const actor = { ...admin.user, sessionId: '' };
    const items = [{ path: 'h/one.md', message: 'Not an article.' }];
    const { created } = await app.container.imports.create(actor, items, undefined);
    const { id } = created;
    await until('the import to end', async () => {
      return (await app.container.imports.get(actor, id)).status === 'completed';
    });
    await sql`
      update article_imports set ended_at = null, created_at = now() - interval '23 hours'
      where id = ${id}`.execute(app.db);
    await sql`
      update article_import_items set state = 'waiting', message = null
      where import_id = ${id}`.execute(app.db);
    await app.container.imports.cleanUp();
    expect(await app.container.imports.get(actor, id)).toMatchObject({ status: 'running' });
    await sql`
      update article_imports set created_at = now() - interval '25 hours'
      where id = ${id}`.execute(app.db);
    await app.container.imports.cleanUp();
    expect(await app.container.imports.get(actor, id)).toMatchObject({
      status: 'completed',
      failed: 1,
      errors: [{ path: 'h/one.md', message: expect.stringContaining('within a day') }],
    });
  });

  test('meets people who edit the same articles, and the index stays exact', async () => {
    const files = Array.from({ length: 12 }, (_, at) =>
      file(`d/${at}.md`, `Harbour ${at}`, `Harbour number ${at}.`),
    );
    await importAll(files);
    const rows = await app.db
      .selectFrom('articles')
      .select('id')
      .where('source', 'like', 'd/%')
      .execute();
    const next = files.map((one) => ({ ...one, content: `${one.content}\nWith a pier.\n` }));
    const edits = rows.map(({ id }) => admin.patch(`/api/v1/articles/${id}`, { tags: ['edited'] }));
    const [report] = await Promise.all([importAll(next), importAll(next), ...edits]);
    expect(report).toMatchObject({ total: 12, failed: 0 });
    const after = await app.db
      .selectFrom('articles')
      .select('body')
      .where('source', 'like', 'd/%')
      .execute();
    expect(after.filter(({ body }) => body.endsWith('With a pier.'))).toHaveLength(12);
    await expectExactIndex(app.db);
  });
});

test('reading files gives others their turn', async () => {
  const events: string[] = [];
  const read = readItems([file('i/1.md', 'One', 'One.'), file('i/2.md', 'Two', 'Two.')]);
  const reported = read.then(() => events.push('read'));
  await nextTurn();
  events.push('turn');
  await reported;
  expect(events).toEqual(['turn', 'read']);
});

test('the body may be larger than elsewhere, but not endless', async () => {
  const big = file('e/big.md', 'Big', 'x'.repeat(3 * 1024 * 1024));
  const taken = await admin.post('/api/v1/articles/import', { articles: [big] });
  expect(taken).toMatchObject({ status: 202, body: { total: 1 } });
  const huge = file('e/huge.md', 'Huge', 'x'.repeat(21 * 1024 * 1024));
  const refused = await admin.post('/api/v1/articles/import', { articles: [huge] });
  expect(refused).toMatchObject({
    status: 413,
    body: { code: 'body-too-large', detail: 'The body is larger than 20 MiB.' },
  });
  const many = Array.from({ length: 2_000 }, (_, at) => file(`f/${at}.md`, 'No', ''));
  const full = await admin.post('/api/v1/articles/import', { articles: many });
  expect(full).toMatchObject({ status: 202, body: { total: 2_000, failed: 2_000 } });
  const tooMany = await admin.post('/api/v1/articles/import', { articles: [...many, big] });
  expect(tooMany.status).toBe(422);
});
