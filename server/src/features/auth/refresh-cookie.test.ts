import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { api, bearer, logInUrl, newAccount, password, refreshUrl } from './test-accounts.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

describe('a session in a cookie', () => {
  const sameOrigin = { 'sec-fetch-site': 'same-origin' };

  async function cookieOf(reply: { headers: Record<string, unknown> }) {
    const [cookie = ''] = [reply.headers['set-cookie']].flat().map(String);
    return { cookie: cookie.split(';')[0] ?? '', attributes: cookie.split('; ').slice(1) };
  }

  async function logInByCookie() {
    const { email } = await newAccount(test);
    const reply = await test.anonymous.post(logInUrl, { email, password, session: 'cookie' });
    expect(reply.status).toBe(200);
    return { reply, ...(await cookieOf(reply)) };
  }

  it('keeps the refresh token from scripts, other sites and other paths', async () => {
    const { reply, attributes } = await logInByCookie();
    expect(reply.body).not.toHaveProperty('refresh_token');
    expect(attributes).toEqual(
      expect.arrayContaining(['HttpOnly', 'SameSite=Strict', 'Path=/api/v1/auth']),
    );
    expect(attributes).not.toContain('Secure');
  });

  it('travels only over https where the public URL is https', async () => {
    const app = await startTestApp({ env: { PUBLIC_URL: 'https://support.example.com' } });
    const { email } = await newAccount(app);
    const reply = await app.anonymous.post(logInUrl, { email, password, session: 'cookie' });
    expect((await cookieOf(reply)).attributes).toContain('Secure');
    await app.close();
  });

  it('is refreshed from a page of this site, into the cookie again', async () => {
    const { cookie } = await logInByCookie();
    const reply = await test.anonymous.post(refreshUrl, undefined, { cookie, ...sameOrigin });
    expect(reply.status).toBe(200);
    expect(reply.body).not.toHaveProperty('refresh_token');
    const next = await cookieOf(reply);
    expect(next.cookie).not.toBe(cookie);
    const again = { cookie: next.cookie, ...sameOrigin };
    expect((await test.anonymous.post(refreshUrl, {}, again)).status).toBe(200);
  });

  it('is refreshed by a browser that tells only its origin, when it is ours', async () => {
    const ours: Record<string, string>[] = [
      { host: 'desk.example.com', origin: 'https://desk.example.com' },
      { origin: new URL(test.config.publicUrl).origin },
    ];
    for (const from of ours) {
      const { cookie } = await logInByCookie();
      const reply = await test.anonymous.post(refreshUrl, undefined, { cookie, ...from });
      expect(reply.status).toBe(200);
    }
  });

  it.each([
    ['another site', { 'sec-fetch-site': 'cross-site' }],
    ['another subdomain', { 'sec-fetch-site': 'same-site' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    [
      'another site that claims our origin',
      { 'sec-fetch-site': 'cross-site', host: 'desk.example', origin: 'https://desk.example' },
    ],
    ['another origin', { origin: 'https://evil.example' }],
    ['an opaque origin', { origin: 'null' }],
    ['nowhere', {}],
  ])('is not refreshed from %s', async (_what, from) => {
    const { cookie } = await logInByCookie();
    const reply = await test.anonymous.post(refreshUrl, undefined, { cookie, ...from });
    expect(reply).toMatchObject({ status: 403, body: { code: 'cross-site-request' } });
    const own = await test.anonymous.post(refreshUrl, undefined, { cookie, ...sameOrigin });
    expect(own.status).toBe(200);
  });

  it('is cleared by the log-out', async () => {
    const { reply, cookie } = await logInByCookie();
    const headers = { cookie, ...bearer(reply.body.access_token) };
    const out = await test.anonymous.post(`${api}/auth/logout`, undefined, headers);
    expect(out.status).toBe(204);
    expect((await cookieOf(out)).attributes).toContain('Max-Age=0');
    const later = await test.anonymous.post(refreshUrl, undefined, { cookie, ...sameOrigin });
    expect(later.status).toBe(401);
  });
});
