import { randomUUID } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { startTestApp, type TestApp, type TestReply } from '../../../test/harness.ts';
import type { Role } from '../../tables.ts';
import { api, bearer, logInUrl, meUrl, newAccount, newEmail, password } from './test-accounts.ts';

const exchangeSecret = 'a secret that a host product shares with us';
const exchangeUrl = `${api}/auth/exchange`;
const sign = createSigner({ algorithm: 'HS256', key: exchangeSecret });

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp({ env: { EXCHANGE_SECRET: exchangeSecret } });
});
afterAll(() => test.close());

function guest(change: object = {}) {
  const now = Math.floor(test.clock.now().getTime() / 1_000);
  const who = { iss: 'shop', sub: randomUUID(), email: newEmail() };
  return { ...who, iat: now, exp: now + 60, ...change };
}
const visit = (claims: object) => test.anonymous.post(exchangeUrl, { token: sign(claims) });
const whois = async (reply: TestReply) =>
  (await test.anonymous.get(meUrl, bearer(reply.body.access_token))).body;
const change = (id: string, user: { role?: Role; disabled_at?: Date }) =>
  test.db.updateTable('users').set(user).where('id', '=', id).execute();

describe('the exchange', () => {
  it('makes a customer on the first visit and knows them on the next', async () => {
    const claims = guest({ name: 'Robin\u202e Vos' });
    const first = await visit(claims);
    expect(first).toMatchObject({ status: 200, body: { refresh_token: expect.any(String) } });
    const me = await whois(first);
    expect(me).toMatchObject({ role: 'customer', email: claims.email, name: 'Robin  Vos' });
    expect(await whois(await visit(claims))).toEqual(me);
  });

  it('of one new user five times at once makes one account', async () => {
    const claims = guest();
    const replies = await Promise.all(Array.from({ length: 5 }, () => visit(claims)));
    expect(replies.map((reply) => reply.status)).toEqual(Array(5).fill(200));
    const people = await Promise.all(replies.map(whois));
    expect(new Set(people.map((person) => person.id)).size).toBe(1);
  });

  it('names a guest without a name by their address', async () => {
    const reply = await visit(guest({ email: `robin+${randomUUID()}@example.com` }));
    expect((await whois(reply)).name).toMatch(/^robin\+/);
  });

  it.each([
    ['an end in the past', { exp: 1 }],
    ['no end', { exp: undefined }],
    ['no e-mail', { email: undefined }],
    ['an e-mail that is none', { email: 'robin' }],
    ['no subject', { sub: undefined }],
  ])('refuses a token with %s', async (_what, change) => {
    const reply = await visit(guest(change));
    expect(reply).toMatchObject({ status: 401, body: { code: 'invalid-credentials' } });
    expect(reply.headers['www-authenticate']).toContain('Bearer');
  });

  it('refuses a token that somebody else has signed', async () => {
    const token = createSigner({ algorithm: 'HS256', key: 'x'.repeat(40) })(guest());
    expect((await test.anonymous.post(exchangeUrl, { token })).status).toBe(401);
  });

  it('does not hand over an account that was made by sign-up with the same e-mail', async () => {
    const { email } = await newAccount(test);
    expect(await visit(guest({ email }))).toMatchObject({
      status: 409,
      body: { code: 'email-taken' },
    });
  });

  it('refuses a guest who is disabled, and one who belongs to the team', async () => {
    const claims = guest();
    const { id } = await whois(await visit(claims));
    await change(id, { role: 'agent' });
    expect((await visit(claims)).status).toBe(403);
    await change(id, { role: 'customer', disabled_at: new Date() });
    expect((await visit(claims)).status).toBe(401);
  });

  it('gives an account that no password opens', async () => {
    const claims = guest();
    const { body } = await visit(claims);
    const reply = await test.anonymous.post(logInUrl, { email: claims.email, password });
    expect(reply.status).toBe(401);
    const wish = { current_password: password, new_password: 'five other random words' };
    const put = await test.anonymous.put(`${meUrl}/password`, wish, bearer(body.access_token));
    expect(put.status).toBe(422);
  });

  it('with an unknown field is refused', async () => {
    const reply = await test.anonymous.post(exchangeUrl, { token: sign(guest()), role: 'admin' });
    expect(reply.status).toBe(422);
  });

  it('is not there without a secret', async () => {
    const other = await startTestApp();
    const reply = await other.anonymous.post(exchangeUrl, { token: sign(guest()) });
    expect(reply).toMatchObject({ status: 404, body: { code: 'not-found' } });
    await other.close();
  });
});
