import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  authorizationMatrix,
  callers,
  type CallerName,
  type Cell,
} from '../authorization-matrix.ts';
import { createApp } from '../src/app.ts';
import { scopes, type Scope } from '../src/features/auth/scopes.ts';
import { accessTokenSeconds } from '../src/features/auth/tokens.ts';
import { createFactories, factoriesEnv, unknownId } from './factories.ts';
import { startTestApp, type TestBearer, type TestClient } from './harness.ts';
import { isPublic, operationsOf, scopeOf, type Document, type Operation } from './openapi.ts';
import { perform, requests, type OperationRequest, type People } from './operation-requests.ts';

// A stream without an end of its own ends soon here: a reply is looked at as a whole.
const app = await startTestApp({ env: { ...factoriesEnv, STREAM_LIFE_MS: '1000' } });
const make = createFactories(app);
const operations = operationsOf(app.app.swagger() as unknown as Document);
const byId = new Map(operations.map((operation) => [operation.operationId, operation]));

let people: People;
let expired: TestClient;
let disabled: TestClient;
const keys: Record<string, TestBearer> = {};
beforeAll(async () => {
  expired = await app.as('admin');
  const expiresAt = new Date(app.clock.now().getTime() + 1_000);
  keys['expired'] = app.bearing((await make.apiKey(expired, { expiresAt })).token);
  app.clock.advance((accessTokenSeconds + 1) * 1_000);
  people = {
    own: await app.as('customer'),
    other: await app.as('customer'),
    agent: await app.as('agent'),
    admin: await app.as('admin'),
  };
  disabled = await app.as('admin');
  const { status } = await people.admin.patch(`/api/v1/users/${disabled.user.id}`, {
    disabled: true,
  });
  expect(status).toBe(200);
  const revoked = await make.apiKey(people.admin);
  keys['revoked'] = app.bearing(revoked.token);
  await people.admin.delete(`/api/v1/api-keys/${revoked.id}`);
  keys['all'] = await keyWith(scopes);
});
afterAll(() => app.close());

const keyWith = async (granted: readonly Scope[]): Promise<TestBearer> =>
  app.bearing((await make.apiKey(people.admin, { scopes: granted })).token);

type MatrixCase = { operation: Operation; row: string; caller: CallerName; cell: Cell };

const cases: MatrixCase[] = authorizationMatrix.flatMap(([operationId, what, ...cells]) => {
  const operation = byId.get(operationId);
  const row = what ? `${operationId}: ${what}` : operationId;
  if (!operation) return [];
  return callers.map((caller, index) => ({ operation, row, caller, cell: cells[index] ?? '-' }));
});

async function prepare(row: string, caller: CallerName): Promise<OperationRequest> {
  const request = await requests[row]?.({ make, people, caller });
  if (!request) throw new Error(`There is no request for "${row}".`);
  return request;
}

const clientOf = (caller: CallerName, { by }: OperationRequest) =>
  caller === 'anonymous' ? app.anonymous : (by ?? people[caller]);

describe('the matrix', () => {
  test('has a row for every operation, and no other', () => {
    const rows = new Set(authorizationMatrix.map(([operationId]) => operationId));
    expect([...rows].sort()).toEqual([...byId.keys()].sort());
  });

  test('has a cell for every caller, and a request for every row', () => {
    for (const [operationId, what, ...cells] of authorizationMatrix) {
      expect(cells, `${operationId} ${what}`).toHaveLength(callers.length);
    }
    expect(Object.keys(requests).sort()).toEqual([...new Set(cases.map(({ row }) => row))].sort());
  });

  test('says of every object with an id what another customer may do with it', () => {
    for (const { path, operationId } of operations.filter(({ path }) => path.includes('{'))) {
      const other = cases.filter(({ operation, caller, cell }) => {
        return operation.operationId === operationId && caller === 'other' && cell !== '-';
      });
      expect(other.length, `${operationId} ${path}`).toBeGreaterThan(0);
    }
  });

  test.each(cases.filter(({ cell }) => cell !== '-'))(
    '$row by $caller is $cell',
    async ({ operation, row, caller, cell }) => {
      const request = await prepare(row, caller);
      const reply = await perform(operation, request, clientOf(caller, request));
      const isSeen = cell === 'shown' || cell === 'hidden';
      expect(reply.status, JSON.stringify(reply.body)).toBe(isSeen ? 200 : cell);
      if (isSeen) {
        expect(request.object).toBeDefined();
        const text = JSON.stringify(reply.body);
        expect(text.includes(request.object ?? '')).toBe(cell === 'shown');
      }
      if (cell === 401) expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
    },
  );
});

describe.each(operations.filter((operation) => !isPublic(operation)))(
  '$operationId',
  (operation) => {
    test.each([
      ['an expired token', () => expired],
      ['a disabled user', () => disabled],
    ])('is 401 for %s', async (_what, client) => {
      const request = await prepare(operation.operationId, 'own');
      const reply = await perform(operation, request, client());
      expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(reply.headers['www-authenticate']).toMatch(/^Bearer .*error="invalid_token"/);
    });
  },
);

/** Where a key may do less than the admin whose role it has: the row of what it may. */
const rowsForKeys: Record<string, string> = {
  createUser: 'createUser: a customer',
  updateUser: 'updateUser: a customer',
  inviteUser: 'inviteUser: a customer',
};

const nothing = { id: unknownId, deliveryId: unknownId };

/** Those with which a key may not do it: `write` reads too. */
const scopesWithout = (needed: Scope): Scope[] =>
  scopes.filter((scope) => scope !== needed && scope.replace(':write', ':read') !== needed);

describe.each(operations.filter((operation) => !isPublic(operation)))(
  'an API key for $operationId',
  (operation) => {
    const { operationId } = operation;
    const row = rowsForKeys[operationId] ?? operationId;
    const scope = scopeOf(operation);
    /** Who is refused is so before anybody looks whether the object is there. */
    const ask = (client: TestBearer, request: OperationRequest = nothing) =>
      perform(operation, request, client);

    test.each(['expired', 'revoked'])('is 401 when it is %s', async (what) => {
      const reply = await ask(keys[what] ?? app.anonymous);
      expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
      expect(reply.headers['www-authenticate']).toMatch(/^Bearer .*error="invalid_token"/);
    });

    test.skipIf(scope)('is 403 with every scope', async () => {
      const reply = await ask(keys['all'] ?? app.anonymous);
      expect(reply).toMatchObject({ status: 403, body: { code: 'forbidden' } });
    });

    test.skipIf(!scope)('does what an admin may with the scope alone', async () => {
      const cell = cases.find((one) => one.row === row && one.caller === 'admin')?.cell;
      const key = await keyWith(scope ? [scope] : []);
      const reply = await ask(key, await prepare(row, 'admin'));
      expect(reply.status, JSON.stringify(reply.body)).toBe(cell === 'shown' ? 200 : cell);
    });

    test.skipIf(!scope)('is 403 with every scope but that one', async () => {
      if (!scope) return;
      const reply = await ask(await keyWith(scopesWithout(scope)));
      expect(reply).toMatchObject({ status: 403, body: { code: 'insufficient-scope' } });
      expect(reply.headers['www-authenticate']).toContain(`scope="${scope}"`);
    });
  },
);

test('no API key touches keys, passwords, sessions, the own account, or takes people away', () => {
  const without = operations.filter((operation) => !isPublic(operation) && !scopeOf(operation));
  expect(without.map(({ operationId }) => operationId).sort()).toEqual([
    'changePassword',
    'createApiKey',
    'deleteMe',
    'endMySession',
    'eraseUser',
    'exportMe',
    'exportUser',
    'getMe',
    'listApiKeys',
    'listMySessions',
    'logOut',
    'revokeApiKey',
    'updateMe',
  ]);
});

test('an API key with the role of an agent may do no more than an agent', async () => {
  const { token } = await make.apiKey(people.admin, { role: 'agent' });
  const reply = await app.bearing(token).get('/api/v1/webhooks');
  expect(reply).toMatchObject({ status: 403, body: { code: 'forbidden' } });
});

describe.each(operations.filter(({ path }) => path.includes('{id}')))(
  '$operationId',
  (operation) => {
    test('says the same of what is not yours, not there, and not an id', async () => {
      const { operationId } = operation;
      const hasOther = cases.some(
        ({ row, caller, cell }) => row === operationId && caller === 'other' && cell === 404,
      );
      const client = hasOther ? people.other : people.admin;
      const { id = '', ...request } = await prepare(operationId, 'other');
      const ids = [unknownId, 'not-an-id', ...(hasOther ? [id] : [])];
      const replies = [];
      for (const id of ids) {
        const reply = await perform(operation, { ...request, id }, client);
        expect(reply.status).toBe(404);
        replies.push({ ...reply.body, request_id: '' });
      }
      expect(new Set(replies.map((body) => JSON.stringify(body))).size).toBe(1);
    });
  },
);

describe('a server does not start', () => {
  const start = async (addRoutes: (server: Awaited<ReturnType<typeof createApp>>) => void) => {
    const server = await createApp(app.config, app.container, pino({ level: 'silent' }));
    addRoutes(server);
    await server.ready();
  };
  const body = { type: 'object' };

  test('with a route that names no policy', async () => {
    const starting = start((server) => server.get('/forgotten', () => 'secrets'));
    await expect(starting).rejects.toThrow('GET /forgotten has no policy');
  });

  test('with such a route in a plugin', async () => {
    const starting = start((server) => {
      void server.register((plugin, _options, done) => {
        plugin.route({ method: 'DELETE', url: '/all', handler: () => 'gone' });
        done();
      });
    });
    await expect(starting).rejects.toThrow('DELETE /all has no policy');
  });

  test.each([
    ['a tag that is of no scope', { tags: ['surprises'] }],
    ['no tag', {}],
  ])('with a route of which nothing says what a key needs: %s', async (_what, schema) => {
    const starting = start((server) =>
      server.get('/new', { config: { policy: 'staff' }, schema }, () => 'new'),
    );
    await expect(starting).rejects.toThrow('GET /new has no scope');
  });

  test.each(['POST', 'PUT', 'PATCH'])(
    'with a %s that has no schema for its body',
    async (method) => {
      const starting = start((server) =>
        server.route({
          method,
          url: '/any',
          config: { policy: 'admin', scope: null },
          handler: () => 'done',
        }),
      );
      await expect(starting).rejects.toThrow(`${method} /any has no schema for its body`);
    },
  );

  test('unless every route has all of it', async () => {
    const config = { policy: 'admin', scope: null } as const;
    await start((server) =>
      server.route({ method: 'POST', url: '/good', config, schema: { body }, handler: () => '' }),
    );
  });
});
