import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { authorizationMatrix, callers, type CallerName } from '../authorization-matrix.ts';
import {
  allowedUrl,
  createFactories,
  factoriesEnv,
  unknownId,
  type Factories,
} from './factories.ts';
import { takesKey, whileInFlight } from './key-in-flight.ts';
import {
  startTestApp,
  type TestApp,
  type TestBearer,
  type TestClient,
  type TestReply,
} from './harness.ts';
import { publicEventTypes } from '../src/features/events/event-types.ts';
import {
  createJudge,
  createReplyCheck,
  escaped,
  operationsOf,
  replyAt,
  scopeOf,
  type Document,
  type Operation,
} from './openapi.ts';
import {
  perform,
  requests,
  scrape,
  type OperationRequest,
  type People,
} from './operation-requests.ts';

// A stream without an end of its own ends soon here: a reply is looked at as a whole.
const app = await startTestApp({ env: { ...factoriesEnv, STREAM_LIFE_MS: '1000' } });
const make = createFactories(app);
const document = app.app.swagger() as unknown as Document;
const operations = operationsOf(document);

let people: People;
/** Has some scope, and never the one that it takes. */
let keyWithout: (operation: Operation) => TestBearer;
beforeAll(async () => {
  people = {
    own: await app.as('customer'),
    other: await app.as('customer'),
    agent: await app.as('agent'),
    admin: await app.as('admin'),
  };
  const reader = await make.apiKey(people.admin, { scopes: ['events:read'] });
  const other = await make.apiKey(people.admin, { scopes: ['users:read'] });
  keyWithout = (operation) =>
    app.bearing((scopeOf(operation) === 'events:read' ? other : reader).token);
});
afterAll(() => app.close());

const isOnPostgres = inject('databases').serverUrl !== undefined;

describe('the document', () => {
  // The document does not depend on the database: once is enough.
  test.skipIf(isOnPostgres)('is valid OpenAPI 3.1, without an error or a warning', async () => {
    expect(document.openapi).toBe('3.1.0');
    const folder = await mkdtemp(join(tmpdir(), 'openapi-'));
    const root = fileURLToPath(new URL('../../', import.meta.url));
    try {
      const file = join(folder, 'openapi.json');
      await writeFile(file, JSON.stringify(document));
      const words = ['lint', file, '--format=json', '--config', join(root, 'redocly.yaml')];
      const redocly = join(root, 'node_modules/.bin/redocly');
      const run = promisify(execFile)(redocly, words, { cwd: folder });
      const { stdout } = await run.catch((error: { stdout: string }) => error);
      const { totals, problems } = JSON.parse(stdout.slice(stdout.indexOf('{')));
      expect(problems).toEqual([]);
      expect(totals).toMatchObject({ errors: 0, warnings: 0 });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test('names every shape', () => {
    const names = Object.keys(document.components['schemas'] ?? {});
    expect(names.length).toBeGreaterThan(20);
    expect(names.filter((name) => !/^[A-Z][A-Za-z]+$/.test(name))).toEqual([]);
  });

  test('has the body of every event that webhooks send', () => {
    const { webhooks } = app.app.swagger() as unknown as { webhooks: Record<string, object> };
    expect(Object.keys(webhooks).sort()).toEqual([...publicEventTypes, 'webhook.test'].sort());
  });

  test('gives every operation an id of its own', () => {
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test.each([
  ['a body that is not as declared', 200, {}, /must have required property 'id'/],
  ['a status that is not declared', 409, {}, /does not declare/],
  ['a content type that is not declared', 401, '', /not a declared content type/],
])('%s fails the test that gets it', (_what, status, body, problem) => {
  const check = createReplyCheck(document);
  const headers = { 'content-type': body === '' ? 'text/html' : 'application/json; charset=utf-8' };
  expect(() => check('GET', '/api/v1/me', { status, body, headers })).toThrow(problem);
});

const judge = createJudge(document);

describe.each(operations)('$operationId', (operation) => {
  const { pointer, requestBody, responses } = operation;

  test('has a summary, a tag and a description of every reply', () => {
    expect(operation.operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(operation.summary).toMatch(/^[A-Z].+/);
    expect(operation.tags).toHaveLength(1);
    for (const status of Object.keys(responses)) {
      const { reply } = replyAt(document, operation, status) ?? {};
      expect(reply?.description).toMatch(/\w/);
      expect(reply?.description).not.toBe('Default Response');
    }
  });

  test('has examples that are valid, of its body and of every reply', () => {
    const places = Object.keys(responses).map((status) => {
      const place = replyAt(document, operation, status);
      return { pointer: place?.pointer, content: place?.reply.content };
    });
    const body = { pointer: `${pointer}/requestBody`, content: requestBody?.content };
    for (const { pointer, content } of [body, ...places]) {
      for (const [type, media] of Object.entries(content ?? {})) {
        const at = `${pointer}/content/${escaped(type)}`;
        expect(media, at).toHaveProperty('example');
        expect(judge(`${at}/schema`, media.example), at).toBeUndefined();
      }
    }
  });
});

type Case = () => OperationRequest | Promise<OperationRequest> | Promise<TestReply>;

/** Statuses that the request of the authorization matrix gets when it is changed like this. */
const usualCases: Record<
  string,
  (good: OperationRequest, operation: Operation) => OperationRequest
> = {
  403: (good, operation) => ({ ...good, by: keyWithout(operation) }),
  404: (good) => ({ ...good, id: unknownId }),
  412: (good) => ({ ...good, headers: { ...good.headers, 'if-match': '"999"' } }),
  422: (good) => ({ ...good, query: 'unknown=1' }),
};

/** How each declared status comes about, where it is not the success or one of the usual cases. */
const cases: Record<string, Record<string, Case>> = {
  signUp: { 409: () => ({ body: { ...newUser(), email: people.own.user.email } }) },
  refreshSession: {
    403: async () => ({
      body: {},
      headers: { cookie: `support_assistant_refresh=x`, 'sec-fetch-site': 'cross-site' },
    }),
  },
  exchangeToken: {
    403: exchangeOfStaff,
    404: () => withoutExchange(),
    409: () => ({ body: { token: make.hostToken({ email: people.own.user.email }) } }),
  },
  requestPasswordReset: { 409: () => withoutMail() },
  setPassword: { 404: () => ({ token: 'no-token' }) },
  deleteMe: { 409: () => lastAdmin({}) },
  createUser: {
    409: () => ({ body: { ...newUser(), role: 'agent', email: people.own.user.email } }),
  },
  updateUser: { 409: () => lastAdmin({ id: people.admin.user.id, body: { role: 'agent' } }) },
  eraseUser: { 409: () => lastAdmin({ id: people.admin.user.id }) },
  inviteUser: { 409: () => ({ id: people.own.user.id }) },
  createArticle: { 404: replayOfDeleted },
  updateTicket: { 409: async () => ({ ...(await closedTicket()), body: { status: 'open' } }) },
  putTicket: { 409: async () => ({ ...(await closedTicket()), body: { status: 'open' } }) },
  createMessage: { 409: closedTicket },
  streamLatestAnswer: {
    204: async () => {
      const { id, answerId } = await ticketWithAnswer('completed');
      return { id, headers: { 'last-event-id': `${answerId}.end` } };
    },
    409: closedTicket,
  },
  retryAnswer: { 409: () => ticketWithAnswer('completed') },
  streamAnswer: {
    204: async () => {
      const { answerId: id } = await ticketWithAnswer('completed');
      return { id, headers: { 'last-event-id': `${id}.end` } };
    },
  },
  cancelAnswer: { 409: async () => ({ id: (await ticketWithAnswer('completed')).answerId }) },
  rateAnswer: { 409: async () => ({ id: (await ticketWithAnswer('streaming')).answerId }) },
  createWebhook: { 404: replayOfRemovedWebhook },
  createApiKey: { 404: replayOfRevoked },
  testWebhook: { 409: disabledWebhook },
  recoverWebhook: {
    409: async () => ({
      ...(await disabledWebhook()),
      body: { since: new Date().toISOString() },
    }),
  },
  redeliverWebhookDelivery: { 409: disabledWebhook },
  ready: { 503: drainingServer },
  readMetrics: { 200: async () => ({ headers: scrape }), 404: () => withoutMetrics() },
};

/** Where nothing else conflicts, two requests with one key do. */
const isInFlight = (operation: Operation, status: string): boolean =>
  status === '409' && takesKey(operation) && !cases[operation.operationId]?.[status];

describe('every declared status happens:', () => {
  const declared = operations.flatMap((operation) =>
    Object.keys(operation.responses)
      .filter((status) => status !== 'default')
      .map((status) => ({ operation, status, name: `${operation.operationId} ${status}` })),
  );

  test('no case is for a status that is not declared', () => {
    const names = new Set(declared.map(({ name }) => name));
    const extra = Object.entries(cases).flatMap(([id, byStatus]) =>
      Object.keys(byStatus).map((status) => `${id} ${status}`),
    );
    expect(extra.filter((name) => !names.has(name))).toEqual([]);
  });

  for (const { operation, status, name } of declared) {
    test.skipIf(isInFlight(operation, status) && !isOnPostgres)(name, async () => {
      const { operationId } = operation;
      const caller = whoMay(operationId);
      const own = cases[operationId]?.[status];
      const isFirstSuccess = status === Object.keys(operation.responses)[0];
      const usual = isFirstSuccess ? (good: OperationRequest) => good : usualCases[status];
      if (isInFlight(operation, status)) {
        expect((await askTwice(operation, people[caller])).status).toBe(409);
        return;
      }
      if (!own && !usual) throw new Error(`There is no case for ${name}.`);
      const made = own ? await own() : usual?.(await goodRequest(operationId, caller), operation);
      const reply = isReply(made)
        ? made
        : await perform(operation, withUnknownField(made ?? {}), made?.by ?? people[caller]);
      expect(reply.status, JSON.stringify(reply.body)).toBe(Number(status));

      /** A body is refused for a field that it should not have, a query for a parameter. */
      function withUnknownField(request: OperationRequest): OperationRequest {
        if (status !== '422' || own || !operation.requestBody) return request;
        const { example } = operation.requestBody.content['application/json'] ?? {};
        const body = { ...((request.body ?? example) as object), unknown_field: true };
        return { ...request, query: undefined, body };
      }
    });
  }
});

const isReply = (made: object | undefined): made is TestReply =>
  made !== undefined && 'status' in made;

type Person = Exclude<CallerName, 'anonymous'>;

/** The one with the least rights who succeeds, by the matrix. */
function whoMay(operationId: string): Person {
  const [, , ...cells] = authorizationMatrix.find(([id]) => id === operationId) ?? [];
  const people: Person[] = ['own', 'agent', 'admin'];
  const isSuccess = (caller: Person) =>
    ['shown', 200, 201, 202, 204].includes(cells[callers.indexOf(caller)] ?? '');
  return people.find(isSuccess) ?? 'admin';
}

async function goodRequest(operationId: string, caller: Person): Promise<OperationRequest> {
  const request = await requests[operationId]?.({ make, people, caller });
  if (!request) throw new Error(`There is no request for ${operationId}.`);
  return request;
}

const newUser = () => ({
  email: `${randomUUID()}@example.com`,
  name: 'Grace Hopper',
  password: 'four random words',
});

async function closedTicket(): Promise<OperationRequest> {
  return { id: await make.ticket(people.own, { status: 'closed' }) };
}

async function ticketWithAnswer(state: Parameters<Factories['answer']>[1]) {
  const id = await make.ticket(people.own);
  return { id, answerId: await make.answer(id, state) };
}

async function exchangeOfStaff(): Promise<OperationRequest> {
  const email = `${randomUUID()}@example.com`;
  const body = { token: make.hostToken({ sub: email, email }) };
  await app.anonymous.post('/api/v1/auth/exchange', body);
  await app.db.updateTable('users').set({ role: 'agent' }).where('email', '=', email).execute();
  return { body };
}

/** Leaves one admin, who asks. */
async function lastAdmin(request: OperationRequest): Promise<OperationRequest> {
  const { id } = people.admin.user;
  const others = app.db.updateTable('users').set({ role: 'agent' }).where('role', '=', 'admin');
  await others.where('id', '<>', id).execute();
  return { ...request, by: people.admin };
}

/** Another instance on the same database. */
async function onAnotherServer(ask: (other: TestApp) => Promise<TestReply>): Promise<TestReply> {
  const other = await startTestApp({ sharing: app.testDatabase });
  try {
    return await ask(other);
  } finally {
    await other.close();
  }
}

const withoutExchange = () =>
  onAnotherServer((other) =>
    other.anonymous.post('/api/v1/auth/exchange', { token: make.hostToken() }),
  );

const withoutMail = () =>
  onAnotherServer((other) =>
    other.anonymous.post('/api/v1/auth/password-resets', { email: people.own.user.email }),
  );

const withoutMetrics = () => onAnotherServer((other) => other.anonymous.get('/metrics', scrape));

function drainingServer(): Promise<TestReply> {
  return onAnotherServer((other) => {
    other.container.operations.startDraining();
    return other.anonymous.get('/health/ready');
  });
}

const newWebhook = { url: allowedUrl, events: ['*'] };

/** Repeats a request whose webhook has been removed since. */
async function replayOfRemovedWebhook(): Promise<OperationRequest> {
  const headers = { 'idempotency-key': 'soon-gone-too' };
  const made = await people.admin.post('/api/v1/webhooks', newWebhook, headers);
  await people.admin.delete(`/api/v1/webhooks/${made.body.id}`);
  return { by: people.admin, body: newWebhook, headers };
}

/** Repeats a request whose API key has been revoked since. */
async function replayOfRevoked(): Promise<OperationRequest> {
  const headers = { 'idempotency-key': 'soon-revoked' };
  const body = { name: 'Soon revoked', scopes: ['tickets:read'] };
  const made = await people.admin.post('/api/v1/api-keys', body, headers);
  await people.admin.delete(`/api/v1/api-keys/${made.body.id}`);
  return { by: people.admin, body, headers };
}

/** A webhook that is disabled, with a delivery from before. */
async function disabledWebhook(): Promise<OperationRequest> {
  const id = await make.webhook(people.admin);
  const deliveryId = await make.delivery(id, people.admin);
  await people.admin.patch(`/api/v1/webhooks/${id}`, { enabled: false });
  return { id, deliveryId };
}

/** Repeats a request whose article has been deleted since. */
async function replayOfDeleted(): Promise<OperationRequest> {
  const body = { title: 'Soon gone', body: 'Written and deleted.' };
  const headers = { 'idempotency-key': 'soon-gone' };
  const made = await people.agent.post('/api/v1/articles', body, headers);
  await people.admin.delete(`/api/v1/articles/${made.body.id}`);
  return { by: people.agent, body, headers };
}

/** Sends a request while another one with the same key is still at work. */
async function askTwice(operation: Operation, client: TestClient): Promise<TestReply> {
  const { operationId } = operation;
  const good = await goodRequest(operationId, whoMay(operationId));
  const key = randomUUID();
  const request = { ...good, headers: { ...good.headers, 'idempotency-key': key } };
  return whileInFlight(app.databaseUrl, { userId: client.user.id, operation, key }, () =>
    perform(operation, request, client),
  );
}
