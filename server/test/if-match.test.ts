import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createFactories, factoriesEnv } from './factories.ts';
import { startTestApp, type TestClient } from './harness.ts';
import { operationsOf, type Document, type Operation } from './openapi.ts';
import { perform, requests, type OperationRequest, type People } from './operation-requests.ts';

/** `ETag` and `If-Match`, for every operation that the document says has them. */

const app = await startTestApp({ env: factoriesEnv });
const make = createFactories(app);
const document = app.app.swagger() as unknown as Document;
const operations = operationsOf(document);
const takes = ({ parameters }: Operation): boolean =>
  parameters?.some(({ name }) => name === 'if-match') ?? false;
const readerOf = ({ path }: Operation): Operation | undefined =>
  operations.find((operation) => operation.path === path && operation.method === 'get');

let admin: TestClient;
let people: People;
beforeAll(async () => {
  admin = await app.as('admin');
  people = { own: admin, other: admin, agent: admin, admin };
});
afterAll(() => app.close());

/** Of these a path has one object with a version: whoever changes it may say which one they have read. */
test('whatever has a version and can be read can be changed on condition', () => {
  const withVersion = operations.filter((operation) => {
    const { responses, method } = operation;
    const reply = JSON.stringify(Object.values(responses)[0]);
    const [, shape = ''] = /components\/schemas\/(\w+)"/.exec(reply) ?? [];
    const schema = document.components['schemas']?.[shape] as { properties?: object } | undefined;
    const isChange = ['patch', 'put'].includes(method) && readerOf(operation);
    return isChange && 'version' in (schema?.properties ?? {});
  });
  const ids = withVersion.map(({ operationId }) => operationId);
  expect(ids).toEqual(
    expect.arrayContaining(['updateTicket', 'putTicket', 'updateArticle', 'updateWebhook']),
  );
  expect(ids).toEqual(expect.arrayContaining(['updateUser', 'updateMe', 'updateSettings']));
  expect(withVersion.filter((operation) => !takes(operation))).toEqual([]);
});

describe.each(operations.filter(takes))('$operationId', (operation) => {
  async function prepare() {
    const { operationId } = operation;
    const request = (await requests[operationId]?.({ make, people, caller: 'admin' })) ?? {};
    const reader = readerOf(operation);
    if (!reader) throw new Error(`What ${operationId} changes cannot be read.`);
    const read = await perform(reader, { ...(request.id && { id: request.id }) }, admin);
    const tag = String(read.headers['etag']);
    expect(tag).toBe(`"${read.body.version}"`);
    return { request, tag, version: Number(read.body.version) };
  }

  const change = (request: OperationRequest, ifMatch: string) =>
    perform(operation, { ...request, headers: { 'if-match': ifMatch } }, admin);

  const stale: [string, (tag: string, version: number) => string][] = [
    ['a version that it no longer has', (_tag, version) => `"${version + 1}"`],
    ['a list of others', (_tag, version) => `"${version + 1}", "${version + 2}"`],
    ['the weak form of its tag', (tag) => `W/${tag}`],
    ['the tag of something else', () => '"abc"'],
    ['no tag at all', (_tag, version) => String(version)],
    ['a tag with something behind it', (tag) => `${tag} x`],
  ];
  test.each(stale)('is 412 for %s, and tells the version it has', async (_what, headerOf) => {
    const { request, tag, version } = await prepare();
    const refused = await change(request, headerOf(tag, version));
    expect(refused).toMatchObject({ status: 412, body: { code: 'version-mismatch' } });
    expect(refused.headers['etag']).toBe(tag);
  });

  const current: [string, (tag: string, version: number) => string][] = [
    ['its version', (tag) => tag],
    ['any version', () => '*'],
    ['a list that has its version', (tag, version) => `"${version + 1}" ,W/"x",${tag}`],
  ];
  test.each(current)('does it for %s', async (_what, headerOf) => {
    const { request, tag, version } = await prepare();
    const done = await change(request, headerOf(tag, version));
    expect(done.status, JSON.stringify(done.body)).toBeLessThan(300);
    if (operation.method === 'delete') return;
    expect(done.headers['etag']).toBe(`"${done.body.version}"`);
  });
});
