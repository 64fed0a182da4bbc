import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createFactories, factoriesEnv } from './factories.ts';
import { startTestApp, type TestClient, type TestReply } from './harness.ts';
import { takesKey, whileInFlight } from './key-in-flight.ts';
import { operationsOf, type Document, type Operation } from './openapi.ts';
import { perform, requests, type OperationRequest, type People } from './operation-requests.ts';

/** `Idempotency-Key`, for every operation of the document that creates or starts something. */

const withoutSession = 'Nobody is signed in whom a key could belong to.';

/** The POSTs that take none, and why that does no harm. */
const withoutKey: Record<string, string> = {
  signUp: `${withoutSession} A second one is told that the e-mail is taken.`,
  logIn: `${withoutSession} A second one is one more session.`,
  exchangeToken: `${withoutSession} A second one is one more session.`,
  refreshSession: `${withoutSession} The same token has the same successor for ten seconds.`,
  requestPasswordReset: `${withoutSession} There are at most three mails in an hour.`,
  logOut: 'It ends what the caller would need to ask again.',
  cancelAnswer: 'It ends something, and a second one is told that it has ended.',
};

const app = await startTestApp({ env: factoriesEnv });
const make = createFactories(app);
const operations = operationsOf(app.app.swagger() as unknown as Document);
const posts = operations.filter(({ method }) => method === 'post');

let admin: TestClient;
let people: People;
beforeAll(async () => {
  admin = await app.as('admin');
  people = { own: admin, other: admin, agent: admin, admin };
});
afterAll(() => app.close());

test('every POST takes a key, or stands in the list of those that do without', () => {
  const without = posts.filter((operation) => !takesKey(operation));
  const ids = without.map(({ operationId }) => operationId);
  expect(ids.sort()).toEqual(Object.keys(withoutKey).sort());
});

test('nothing but a POST takes a key', () => {
  expect(operations.filter((operation) => takesKey(operation)).length).toBeGreaterThan(10);
  expect(operations.filter(({ method }) => method !== 'post').filter(takesKey)).toEqual([]);
});

async function prepare({ operationId }: Operation): Promise<OperationRequest> {
  const request = await requests[operationId]?.({ make, people, caller: 'admin' });
  if (!request) throw new Error(`There is no request for ${operationId}.`);
  return request;
}

const ask = (operation: Operation, request: OperationRequest, key: string) =>
  perform(operation, { ...request, headers: { 'idempotency-key': key } }, admin);

/** What the requests of people made happen; what follows from it in the background is not in it. */
async function eventsOfPeople(): Promise<number> {
  const { count } = await app.db
    .selectFrom('events')
    .select((select) => select.fn.countAll<number>().as('count'))
    .where('actor_type', '=', 'agent')
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** What the request made; the rest of a reply tells how far it has come since. */
const madeBy = ({ body: { id, secret, token, message, since } }: TestReply): object => {
  return { id, secret, token, message, since };
};

/** Another object, or the same request with more in one of its fields. */
async function differing(operation: Operation, request: OperationRequest) {
  if (operation.path.includes('{id}')) return prepare(operation);
  const example = operation.requestBody?.content['application/json']?.example;
  const body = (request.body ?? example) as Record<string, unknown>;
  const [[name, value] = ['', '']] = Object.entries(body);
  const more = Array.isArray(value) ? [...value, ...value] : `${String(value)}x`;
  return { ...request, body: { ...body, [name]: more } };
}

describe.each(posts.filter(takesKey))('$operationId', (operation) => {
  test('has its effect once with one key, and replies the same', async () => {
    const request = await prepare(operation);
    const key = randomUUID();
    const first = await ask(operation, request, key);
    expect(first.status, JSON.stringify(first.body)).toBeLessThan(300);
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    const before = await eventsOfPeople();
    const again = await ask(operation, request, key);
    expect(again.status, JSON.stringify(again.body)).toBe(first.status);
    expect(again.headers['idempotent-replayed']).toBe('true');
    expect(again.headers['location']).toBe(first.headers['location']);
    expect(madeBy(again)).toEqual(madeBy(first));
    expect(await eventsOfPeople()).toBe(before);
  });

  test('refuses the key with another request', async () => {
    const request = await prepare(operation);
    const key = randomUUID();
    const first = await ask(operation, request, key);
    expect(first.status, JSON.stringify(first.body)).toBeLessThan(300);
    const other = await differing(operation, request);
    const before = await eventsOfPeople();
    const refused = await ask(operation, other, key);
    expect(refused).toMatchObject({ status: 422, body: { code: 'idempotency-key-reused' } });
    expect(await eventsOfPeople()).toBe(before);
  });

  test('leaves the key to the one who uses it', async () => {
    const request = await prepare(operation);
    const key = randomUUID();
    await ask(operation, request, key);
    const another = await app.as('admin');
    const theirs = await perform(
      operation,
      { ...request, headers: { 'idempotency-key': key } },
      another,
    );
    expect(theirs.headers).not.toHaveProperty('idempotent-replayed');
  });

  test('refuses a key that is none', async () => {
    const refused = await ask(operation, await prepare(operation), 'a b');
    expect(refused).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: 'Idempotency-Key' }] },
    });
  });

  test.skipIf(!inject('databases').serverUrl)('does not wait for itself', async () => {
    const request = await prepare(operation);
    const key = randomUUID();
    const userId = admin.user.id;
    const refused = await whileInFlight(app.databaseUrl, { userId, operation, key }, () =>
      ask(operation, request, key),
    );
    expect(refused).toMatchObject({
      status: 409,
      body: { code: 'idempotency-key-in-flight', retryable: true },
    });
    const done = await ask(operation, request, key);
    expect(done.status, JSON.stringify(done.body)).toBeLessThan(300);
    expect(done.headers).not.toHaveProperty('idempotent-replayed');
  });
});
