import { randomUUID } from 'node:crypto';
import { sql, type Kysely } from 'kysely';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { startTestApp, until, type TestApp } from '../../../test/harness.ts';
import { outsideTransaction, transaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import {
  api,
  bearer,
  disable,
  logIn,
  logInUrl,
  meUrl,
  newAccount,
  newSession,
  password,
  refreshUrl,
} from './test-accounts.ts';
import { createSessions } from './sessions.ts';
import { createTokens } from './tokens.ts';

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

const statusOfMe = async (access: string): Promise<number> =>
  (await test.anonymous.get(meUrl, bearer(access))).status;

const spend = (token: string) => test.anonymous.post(refreshUrl, { refresh_token: token });

describe('a refresh token', () => {
  it('is exchanged for a new access token and its successor', async () => {
    const first = await newSession(test);
    const reply = await spend(first.refresh);
    expect(reply).toMatchObject({ status: 200, body: { token_type: 'bearer', expires_in: 600 } });
    expect(reply.body.refresh_token).not.toBe(first.refresh);
    expect(await statusOfMe(reply.body.access_token)).toBe(200);
    expect((await spend(reply.body.refresh_token)).status).toBe(200);
  });

  it('used twice within ten seconds gives the same successor', async () => {
    const { refresh: token } = await newSession(test);
    const first = await spend(token);
    test.clock.advance(9_000);
    const second = await spend(token);
    expect(second.status).toBe(200);
    expect(second.body.refresh_token).toBe(first.body.refresh_token);
  });

  it('used by ten tabs at once gives all of them the same successor', async () => {
    const { refresh: token } = await newSession(test);
    const replies = await Promise.all(Array.from({ length: 10 }, () => spend(token)));
    expect(replies.map((reply) => reply.status)).toEqual(Array(10).fill(200));
    expect(new Set(replies.map((reply) => reply.body.refresh_token)).size).toBe(1);
  });

  it('used again after ten seconds ends the session, with its successor and its access token', async () => {
    const { access, refresh: token } = await newSession(test);
    const { body } = await spend(token);
    test.clock.advance(11_000);
    expect(await spend(token)).toMatchObject({
      status: 401,
      body: { code: 'invalid-refresh-token' },
    });
    expect((await spend(body.refresh_token)).status).toBe(401);
    expect(await statusOfMe(access)).toBe(401);
  });

  it('used again after two rotations ends the session at once', async () => {
    const { refresh: token } = await newSession(test);
    const second = await spend(token);
    const third = await spend(second.body.refresh_token);
    expect((await spend(token)).status).toBe(401);
    expect((await spend(third.body.refresh_token)).status).toBe(401);
  });

  it('that somebody made up is refused and leaves the session alone', async () => {
    const { refresh: token } = await newSession(test);
    const sessionId = token.slice(0, 36);
    const madeUp = [`${sessionId}.${'A'.repeat(43)}`, `${randomUUID()}.${token.slice(37)}`, 'x'];
    for (const forgery of madeUp) {
      const reply = await spend(forgery);
      expect(reply).toMatchObject({ status: 401, body: { code: 'invalid-refresh-token' } });
      expect(reply.headers['www-authenticate']).toContain('Bearer');
    }
    expect((await spend(token)).status).toBe(200);
  });

  it('of a disabled user is refused', async () => {
    const { email, id } = await newAccount(test);
    const { refresh: token } = await logIn(test, email);
    await disable(test, id);
    expect((await spend(token)).status).toBe(401);
  });

  it('ends thirty days after the log-in, however often it was used', async () => {
    const app = await startTestApp();
    const { email } = await newAccount(app);
    let token = (await logIn(app, email)).refresh;
    const use = () => app.anonymous.post(refreshUrl, { refresh_token: token });
    app.clock.advance(29 * 86_400_000);
    token = (await use()).body.refresh_token;
    app.clock.advance(86_400_000 + 1_000);
    expect((await use()).status).toBe(401);
    await app.close();
  });

  it.each([
    ['an unknown field', { refresh_token: 'x', session: 'cookie' }],
    ['a number', { refresh_token: 7 }],
    ['nothing in it', { refresh_token: '' }],
  ])('in a body with %s is refused', async (_what, body) => {
    expect((await test.anonymous.post(refreshUrl, body)).status).toBe(422);
  });

  it('is asked for when there is none, in body or cookie', async () => {
    expect((await test.anonymous.post(refreshUrl)).status).toBe(401);
    expect((await test.anonymous.post(refreshUrl, {})).status).toBe(401);
  });
});

describe('a log-in', () => {
  /** Whether a statement waits for another one's row. */
  const someoneWaits = async (db: Kysely<Tables>) => {
    // On its one connection the embedded database lets nobody begin before the transaction ends.
    if (!test.databaseUrl) return true;
    const { rows } = await sql`select 1 from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(db);
    return rows.length > 0;
  };

  it('that meets a change of the password waits for it, and is judged by the new one', async () => {
    const { email, id } = await newAccount(test);
    const next = await test.container.passwords.hash('five other random words');
    const given = { email, password };
    const { reply } = await transaction(test.db, async (db) => {
      await db.updateTable('users').set({ password_hash: next }).where('id', '=', id).execute();
      const reply = outsideTransaction(() => test.anonymous.post(logInUrl, given));
      await Promise.race([reply, until('the log-in to wait', () => someoneWaits(db))]);
      return { reply };
    });
    expect((await reply).status).toBe(401);
  });
});

describe('log-out', () => {
  it('ends the session at once, and no other', async () => {
    const { email } = await newAccount(test);
    const [here, there] = [await logIn(test, email), await logIn(test, email)];
    expect(await statusOfMe(here.access)).toBe(200);
    const reply = await test.anonymous.post(`${api}/auth/logout`, {}, bearer(here.access));
    expect(reply.status).toBe(204);
    expect(await statusOfMe(here.access)).toBe(401);
    expect((await spend(here.refresh)).status).toBe(401);
    expect(await statusOfMe(there.access)).toBe(200);
  });

  it('is for those who are signed in', async () => {
    const reply = await test.anonymous.post(`${api}/auth/logout`);
    expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
  });

  it('with an unknown field is refused', async () => {
    const { access } = await newSession(test);
    const reply = await test.anonymous.post(`${api}/auth/logout`, { all: true }, bearer(access));
    expect(reply.status).toBe(422);
  });
});

describe('an access token', () => {
  it.each([
    ['none', {}],
    ['an empty one', { authorization: 'Bearer ' }],
    ['one of three dots', { authorization: 'Bearer a.b.c' }],
    ['one with a wrong signature', { authorization: `Bearer e30.e30.${'A'.repeat(43)}` }],
    ['a refresh token', { authorization: `Bearer ${randomUUID()}.${'A'.repeat(43)}` }],
    ['a password', { authorization: 'Basic YTpi' }],
    ['one of 4,000 characters', { authorization: `Bearer ${'A'.repeat(4_000)}` }],
  ])('that is %s is refused with how to sign in', async (_what, headers) => {
    const reply = await test.anonymous.get(meUrl, headers);
    expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
  });

  it('ends after ten minutes', async () => {
    const { access, refresh: token } = await newSession(test);
    test.clock.advance(601_000);
    expect(await statusOfMe(access)).toBe(401);
    expect((await spend(token)).status).toBe(200);
  });

  it('stops within half a second when another instance ends its session', async () => {
    const { access, refresh: token } = await newSession(test);
    expect(await statusOfMe(access)).toBe(200);
    await test.db
      .updateTable('sessions')
      .set({ revoked_at: new Date() })
      .where('id', '=', token.slice(0, 36))
      .execute();
    test.clock.advance(500);
    expect(await statusOfMe(access)).toBe(401);
  });

  it('stops within half a second when another instance disables its user', async () => {
    const { email, id } = await newAccount(test);
    const { access } = await logIn(test, email);
    expect(await statusOfMe(access)).toBe(200);
    await disable(test, id);
    test.clock.advance(500);
    expect(await statusOfMe(access)).toBe(401);
  });

  it('of an unknown session is refused, well signed as it may be', async () => {
    const { email } = await newAccount(test);
    const { access } = await logIn(test, email);
    const sid = JSON.parse(Buffer.from(access.split('.')[1] ?? '', 'base64url').toString()).sid;
    await test.db.deleteFrom('sessions').where('id', '=', sid).execute();
    expect(await statusOfMe(access)).toBe(401);
  });
});

describe('the session of a stream', () => {
  const key = 'a key that is used in tests only, number 1';

  it('counts as live until it ends or the role changes', async () => {
    const { id } = await newAccount(test);
    const { db, clock } = test;
    const tokens = createTokens({ keys: [key], exchangeSecret: undefined, clock });
    const sessions = createSessions({ db, clock, tokens });
    const grant = await db
      .transaction()
      .execute((db) => sessions.open(db, id, { userAgent: 'test', network: '::1' }));
    const actor = await sessions.authenticate(grant.accessToken);
    expect(actor).toMatchObject({ id, role: 'customer', name: 'Ada' });
    expect(await sessions.isLive(actor)).toBe(true);

    await db.updateTable('users').set({ role: 'agent' }).where('id', '=', id).execute();
    clock.advance(500);
    expect(await sessions.isLive(actor)).toBe(false);
    const promoted = await sessions.authenticate(grant.accessToken);
    expect(await sessions.isLive(promoted)).toBe(true);
    await sessions.leave(promoted);
    expect(await sessions.isLive(promoted)).toBe(false);
  });
});
