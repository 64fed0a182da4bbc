import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';
import { bearer, meUrl, newEmail, password } from '../auth/test-accounts.ts';
import { eventsOf, newUser, person, tokenOf, usersUrl } from './test-users.ts';

let test: TestApp;
let admin: TestClient;
beforeAll(async () => {
  test = await startTestApp();
  admin = await test.as('admin');
});
afterAll(() => test.close());

describe('who may', () => {
  const someone = randomUUID();
  type Route = [method: 'get' | 'post' | 'patch', url: string, body?: object];
  const routes: Route[] = [
    ['get', usersUrl],
    ['post', usersUrl, person()],
    ['get', `${usersUrl}/${someone}`],
    ['patch', `${usersUrl}/${someone}`, { name: 'X' }],
  ];
  const call = (who: TestApp['anonymous'], [method, url, body]: Route) =>
    method === 'get' ? who.get(url) : who[method](url, body);

  it.each(routes)('%s %s is nothing for customers', async (...route) => {
    expect(await call(await test.signUp(), route)).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    });
  });

  it.each(routes.slice(1))('%s %s is nothing for agents', async (...route) => {
    expect((await call(await test.as('agent'), route)).status).toBe(403);
  });

  it.each(routes)('%s %s needs a token', async (...route) => {
    const reply = await call(test.anonymous, route);
    expect(reply.status).toBe(401);
    expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
  });
});

describe('making a user', () => {
  it.each(['customer', 'agent', 'admin'])(
    'makes one of the role %s who can log in',
    async (role) => {
      const input = person({ role });
      const reply = await admin.post(usersUrl, input);
      expect(reply).toMatchObject({
        status: 201,
        body: { role, email: input.email, disabled: false, version: 1 },
      });
      expect(reply.headers['location']).toBe(`${usersUrl}/${reply.body.id}`);
      expect(reply.headers['etag']).toBe('"1"');
      const me = await test.anonymous.get(meUrl, bearer(await tokenOf(test, input.email)));
      expect(me.body).toEqual(reply.body);
    },
  );

  it('is recorded with who did it', async () => {
    const { id } = await newUser(admin);
    expect(await eventsOf(test, id)).toMatchObject([
      {
        type: 'user.created',
        actor_type: 'agent',
        actor_id: admin.user.id,
        data: { role: 'agent' },
      },
    ]);
  });

  it('with a known e-mail is a conflict', async () => {
    const { email } = await newUser(admin);
    expect(await admin.post(usersUrl, person({ email: email.toUpperCase() }))).toMatchObject({
      status: 409,
      body: { code: 'email-taken' },
    });
  });

  it.each([
    ['an unknown role', { role: 'owner' }, '/role'],
    ['no role', { role: undefined }, '/role'],
    ['no password', { password: undefined }, '/password'],
    ['a short password', { password: 'short' }, '/password'],
    ['an unknown field', { disabled: true }, '/disabled'],
    ['a name with U+0000', { name: '\0' }, '/name'],
    ['text that is no e-mail', { email: 'grace@' }, '/email'],
  ])('with %s is refused', async (_what, change, pointer) => {
    const reply = await admin.post(usersUrl, person(change));
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
  });

  it('twice with one key makes one', async () => {
    const input = person();
    const headers = { 'idempotency-key': randomUUID() };
    const first = await admin.post(usersUrl, input, headers);
    const second = await admin.post(usersUrl, input, headers);
    expect(second.status).toBe(201);
    expect(second.body).toEqual(first.body);
    expect(second.headers).toMatchObject({
      'idempotent-replayed': 'true',
      location: first.headers['location'],
    });
    expect(first.headers['idempotent-replayed']).toBeUndefined();
  });

  it('five times at once with one key makes one', async () => {
    const input = person();
    const headers = { 'idempotency-key': randomUUID() };
    const replies = await Promise.all(
      Array.from({ length: 5 }, () => admin.post(usersUrl, input, headers)),
    );
    const made = replies.filter((reply) => reply.status === 201);
    expect(new Set(made.map((reply) => reply.body.id)).size).toBe(1);
    for (const reply of replies.filter((reply) => reply.status !== 201)) {
      expect(reply).toMatchObject({ status: 409, body: { code: 'idempotency-key-in-flight' } });
    }
  });

  it('keeps no hash of the password with the key', async () => {
    const input = person();
    const key = randomUUID();
    await admin.post(usersUrl, input, { 'idempotency-key': key });
    const change = { ...input, password: 'five other random words' };
    const again = await admin.post(usersUrl, change, { 'idempotency-key': key });
    expect(again.headers['idempotent-replayed']).toBe('true');
    await tokenOf(test, input.email).then((token) => expect(token).toContain('.'));
  });

  it('with a key of another request is refused', async () => {
    const headers = { 'idempotency-key': randomUUID() };
    await admin.post(usersUrl, person(), headers);
    expect(await admin.post(usersUrl, person(), headers)).toMatchObject({
      status: 422,
      body: { code: 'idempotency-key-reused' },
    });
  });
});

describe('one user', () => {
  it('is shown with its version as the ETag', async () => {
    const { url, id } = await newUser(admin);
    const reply = await admin.get(url);
    expect(reply).toMatchObject({ status: 200, body: { id, version: 1 } });
    expect(reply.headers['etag']).toBe('"1"');
  });

  it.each([randomUUID(), 'x', '%00', "' or 1=1"])('that is not there is 404: %s', async (id) => {
    const url = `${usersUrl}/${encodeURIComponent(id)}`;
    expect(await admin.get(url)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    expect((await admin.patch(url, { name: 'X' })).status).toBe(404);
  });
});

describe('making an admin from the command line', () => {
  const input = () => ({ email: newEmail().toUpperCase(), name: 'Root', password });

  it('makes one who can log in, recorded as done by the system', async () => {
    const account = input();
    const made = await test.container.users.createAdmin(account);
    expect(made).toMatchObject({ role: 'admin', email: account.email.toLowerCase() });
    const headers = bearer(await tokenOf(test, account.email));
    expect((await test.anonymous.get(usersUrl, headers)).status).toBe(200);
    expect((await eventsOf(test, made.id))[0]).toMatchObject({
      type: 'user.created',
      actor_type: 'system',
      actor_id: null,
    });
  });

  it.each([
    ['text that is no e-mail', { email: 'root' }, '/email'],
    ['a blank name', { name: ' ' }, '/name'],
    ['a name of two lines', { name: 'a\nb' }, '/name'],
    ['a short password', { password: 'short' }, '/password'],
    ['a long password', { password: 'x'.repeat(201) }, '/password'],
  ])('refuses %s', async (_what, change, pointer) => {
    await expect(test.container.users.createAdmin({ ...input(), ...change })).rejects.toMatchObject(
      {
        code: 'validation-failed',
        details: { errors: [{ pointer }] },
      },
    );
  });

  it('refuses an e-mail that is taken', async () => {
    const { email } = await newUser(admin);
    await expect(test.container.users.createAdmin({ ...input(), email })).rejects.toMatchObject({
      code: 'email-taken',
    });
  });
});
