import { readdir, readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';
import { expectExactIndex } from '../../../test/index-recount.ts';
import type { Json } from '../../../test/reply.ts';

let app: TestApp;
let admin: TestClient;
let agent: TestClient;
let customer: TestClient;
beforeAll(async () => {
  app = await startTestApp();
  [admin, agent, customer] = [
    await app.as('admin'),
    await app.as('agent'),
    await app.as('customer'),
  ];
});
afterAll(() => app.close());

const article = (words: string, rest: object = {}) => ({
  title: `About ${words}`,
  body: `## Facts\n\nEverything on ${words} stands here.`,
  status: 'published',
  ...rest,
});

const search = async (client: Pick<TestClient, 'get'>, q: string) => {
  const { body } = await client.get(`/api/v1/articles/search?q=${encodeURIComponent(q)}`);
  return body.data.map((result: Json) => result.title) as string[];
};

describe('articles', () => {
  test('what was found a moment ago is not found any more when it is not public any more', async () => {
    const { body } = await admin.post('/api/v1/articles', article('marmalade'));
    const url = `/api/v1/articles/${body.id}`;
    expect(await search(customer, 'marmalade')).toEqual(['About marmalade']);
    expect(await search(customer, 'marmalade')).toEqual(['About marmalade']);
    expect((await admin.patch(url, { audience: 'internal' })).status).toBe(200);
    expect(await search(agent, 'marmalade')).toEqual(['About marmalade']);
    expect(await search(customer, 'marmalade')).toEqual([]);
    expect((await admin.patch(url, { audience: 'public' })).status).toBe(200);
    expect(await search(customer, 'marmalade')).toEqual(['About marmalade']);
    expect((await admin.patch(url, { title: 'About jam' })).status).toBe(200);
    expect(await search(customer, 'marmalade')).toEqual(['About jam']);
    expect((await admin.delete(url)).status).toBe(204);
    expect(await search(customer, 'marmalade')).toEqual([]);
  });

  test('agents write drafts, admins publish, customers read what is published and public', async () => {
    const draft = await agent.post('/api/v1/articles', article('umbrellas', { status: 'draft' }));
    expect(draft).toMatchObject({ status: 201, headers: { etag: '"1"' } });
    const url = `/api/v1/articles/${draft.body.id}`;
    expect((await customer.get(url)).status).toBe(404);
    expect((await agent.get(url)).status).toBe(200);
    expect((await agent.patch(url, { body: 'Umbrellas are dry.' })).status).toBe(200);
    expect((await agent.patch(url, { status: 'published' })).status).toBe(403);
    expect(await search(customer, 'umbrellas')).toEqual([]);
    const published = await admin.patch(url, { status: 'published' }, { 'if-match': '"2"' });
    expect(published.body.published_at).not.toBeNull();
    expect(await search(customer, 'umbrella')).toEqual(['About umbrellas']);
    expect((await app.anonymous.get(url)).status).toBe(200);
    expect((await agent.patch(url, { body: 'Changed.' })).status).toBe(403);
    expect((await admin.patch(url, { title: 'Stale' }, { 'if-match': '"1"' })).status).toBe(412);
    expect((await customer.post('/api/v1/articles', article('hats'))).status).toBe(403);
    expect((await agent.delete(url)).status).toBe(403);
    expect((await admin.delete(url)).status).toBe(204);
    expect((await admin.delete(url)).status).toBe(404);
    expect(await search(customer, 'umbrella')).toEqual([]);
  });

  test('a search result shows where it matches, whatever the form of the word', async () => {
    const body = `${'Nothing of it here. '.repeat(40)}We repair zeppelins in an hour.`;
    await admin.post('/api/v1/articles', article('airships', { body }));
    const { body: found } = await customer.get(
      '/api/v1/articles/search?q=repairing%20a%20zeppelin',
    );
    const [{ snippet }] = found.data;
    const matches = snippet.filter((part: Json) => part.match).map((part: Json) => part.text);
    expect(matches).toEqual(['repair', 'zeppelins']);
    const text = snippet.map((part: Json) => part.text).join('');
    expect(body).toContain(text);
    expect(text.length).toBeLessThan(body.length / 2);
  });

  test('internal articles are found by staff only', async () => {
    await admin.post('/api/v1/articles', article('goodwill credits', { audience: 'internal' }));
    expect(await search(agent, 'goodwill credit')).toEqual(['About goodwill credits']);
    expect(await search(customer, 'goodwill credit')).toEqual([]);
    expect(await search(app.anonymous, 'goodwill credit')).toEqual([]);
    const listed = await customer.get('/api/v1/articles?limit=100');
    expect(listed.body.data.map((one: Json) => one.audience)).not.toContain('internal');
  });

  test('frequencies stay exact through publishing, editing, archiving and deleting', async () => {
    const { body: first } = await admin.post('/api/v1/articles', article('parcels and boxes'));
    const { body: second } = await admin.post('/api/v1/articles', article('parcels and letters'));
    await Promise.all([
      admin.patch(`/api/v1/articles/${first.id}`, { body: 'Boxes only.\n\n## More\n\nBoxes.' }),
      admin.patch(`/api/v1/articles/${second.id}`, { status: 'archived' }),
      admin.post('/api/v1/articles', article('stamps')),
    ]);
    await expectExactIndex(app.db);
  });

  test('a search for nothing that is known finds nothing, and odd input is no error', async () => {
    for (const q of [
      'qqqzzz',
      '& | ! ( )',
      "'; drop table articles; --",
      '%%',
      '🚀',
      'the of and',
    ]) {
      expect(await search(customer, q)).toEqual([]);
    }
  });
});

/**
 * The demo shop's own questions, many of them in words that no article uses. The shares are what
 * plain BM25 reached when this was written: a floor that a change must not break.
 */
test('the demo shop answers its own questions', async () => {
  const shop = await startTestApp();
  try {
    const folder = new URL('../../../demo/', import.meta.url);
    const titles = new Map<string, string>();
    for (const file of (await readdir(new URL('articles/', folder))).sort()) {
      const text = await readFile(new URL(`articles/${file}`, folder), 'utf8');
      const [, title = '', audience = '', body = ''] =
        /title: (.*?)\n.*audience: (\w+).*?---\n(.*)/s.exec(text) ?? [];
      titles.set(file.replace('.md', ''), title.replace(/^['"]|['"]$/g, ''));
      await shop.publish({ title, body, audience: audience as 'public' });
    }
    const lines = (await readFile(new URL('questions.jsonl', folder), 'utf8')).trim().split('\n');
    const questions = lines.map(
      (line) => JSON.parse(line) as { text: string; article: string | null },
    );
    const answerable = questions.filter((question) => question.article !== null);
    const ranks = await Promise.all(
      answerable.map(async ({ text, article: slug }) => {
        const passages = await shop.container.knowledge.search(undefined, text, 5);
        return passages.findIndex((passage) => passage.title === titles.get(slug ?? ''));
      }),
    );
    const share = (found: number[]) => found.length / ranks.length;
    expect(share(ranks.filter((rank) => rank === 0))).toBeGreaterThanOrEqual(0.5);
    expect(share(ranks.filter((rank) => rank >= 0))).toBeGreaterThanOrEqual(0.65);
  } finally {
    await shop.close();
  }
});
