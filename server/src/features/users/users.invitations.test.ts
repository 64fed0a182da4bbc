import { afterAll, beforeAll, expect, test as it } from 'vitest';
import type { FakeSmtp } from '../../../test/fake-smtp.ts';
import { createFactories, exchangeEnv, unknownId } from '../../../test/factories.ts';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';
import { api, logIn, logInUrl, newEmail } from '../auth/test-accounts.ts';
import { mailTo, startMailingApp, tokenIn } from '../mail/test-mail.ts';
import { eventsOf, person, usersUrl } from './test-users.ts';

let test: TestApp;
let smtp: FakeSmtp;
let admin: TestClient;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ app: test, smtp, close } = await startMailingApp(exchangeEnv));
  admin = await test.as('admin');
});
afterAll(() => close());

const next = 'five other random words';
const set = (token: string) =>
  test.anonymous.put(`${api}/auth/password-resets/${token}`, { password: next });
const invite = (id: string) => admin.post(`${usersUrl}/${id}/invitation`);

async function invited(change: object = {}) {
  const { status, body } = await admin.post(usersUrl, person({ password: undefined, ...change }));
  expect(status).toBe(201);
  return { id: String(body.id), email: String(body.email) };
}

it('somebody who is invited chooses a password and signs in', async () => {
  const { id, email } = await invited({ name: 'Grace <Hopper>' });
  const mail = await mailTo(smtp, email);
  expect(mail.subject).toBe('Your invitation to Support Assistant');
  expect(mail.text).toContain('Hello Grace <Hopper>,');
  expect(mail.html).toContain('Hello Grace &lt;Hopper&gt;,');
  const login = await test.anonymous.post(logInUrl, { email, password: next });
  expect(login.status).toBe(401);
  expect((await set(tokenIn(mail))).status).toBe(204);
  await logIn(test, email, next);
  expect((await set(tokenIn(mail))).status).toBe(404);
  expect(await eventsOf(test, id)).toMatchObject([
    { type: 'user.created', actor_id: admin.user.id },
    { type: 'user.invited', actor_id: admin.user.id, data: { id } },
    { type: 'user.password_reset', actor_id: id },
    { type: 'user.signed_in' },
  ]);
});

it('a new invitation voids the one before', async () => {
  const { id, email } = await invited();
  const first = tokenIn(await mailTo(smtp, email));
  expect(await invite(id)).toMatchObject({ status: 202, body: { status: 'accepted' } });
  const second = tokenIn(await mailTo(smtp, email, 2));
  expect((await set(first)).status).toBe(404);
  expect((await set(second)).status).toBe(204);
});

it('an invitation is good for seven days', async () => {
  const { id, email } = await invited();
  const first = tokenIn(await mailTo(smtp, email));
  test.clock.advance(7 * 24 * 60 * 60_000);
  admin = await test.as('admin');
  expect((await set(first)).status).toBe(404);
  await invite(id);
  expect((await set(tokenIn(await mailTo(smtp, email, 2)))).status).toBe(204);
});

it('who has a password, or none of ours, or is disabled, is not invited', async () => {
  const make = createFactories(test);
  const { user } = await test.as('agent');
  const guest = newEmail();
  await test.anonymous.post(`${api}/auth/exchange`, { token: make.hostToken({ email: guest }) });
  const external = await test.db
    .selectFrom('users')
    .select('id')
    .where('email', '=', guest)
    .executeTakeFirstOrThrow();
  const disabled = await invited();
  await admin.patch(`${usersUrl}/${disabled.id}`, { disabled: true });
  for (const id of [user.id, external.id, disabled.id]) {
    expect(await invite(id)).toMatchObject({ status: 409, body: { code: 'invalid-state' } });
  }
  expect((await invite(unknownId)).status).toBe(404);
});

it('an admin who has not chosen a password yet is not one who remains', async () => {
  await invited({ role: 'admin' });
  await test.db
    .updateTable('users')
    .set({ role: 'agent' })
    .where('role', '=', 'admin')
    .where('password_hash', 'is not', null)
    .where('id', '<>', admin.user.id)
    .execute();
  expect(await admin.patch(`${usersUrl}/${admin.user.id}`, { role: 'agent' })).toMatchObject({
    status: 409,
    body: { code: 'last-admin' },
  });
});

it('the same key invites once', async () => {
  const input = person({ password: undefined });
  const headers = { 'idempotency-key': 'invite-once' };
  const first = await admin.post(usersUrl, input, headers);
  const second = await admin.post(usersUrl, input, headers);
  expect(second.body).toEqual(first.body);
  expect((await eventsOf(test, first.body.id)).map(({ type }) => type)).toEqual([
    'user.created',
    'user.invited',
  ]);
});

it('a server that sends no mail invites nobody', async () => {
  const without = await startTestApp();
  try {
    const by = await without.as('admin');
    expect(await by.post(usersUrl, person({ password: undefined }))).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/password', code: 'required' }] },
    });
    const { id } = await createFactories(without).invited();
    expect(await by.post(`${usersUrl}/${id}/invitation`)).toMatchObject({
      status: 409,
      body: { code: 'mail-off' },
    });
  } finally {
    await without.close();
  }
});
