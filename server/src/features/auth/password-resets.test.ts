import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import type { FakeSmtp } from '../../../test/fake-smtp.ts';
import { createFactories, exchangeEnv } from '../../../test/factories.ts';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { mailTo, settled, startMailingApp, tokenIn } from '../mail/test-mail.ts';
import { accountTokenOf } from './account-token.ts';
import {
  api,
  bearer,
  disable,
  logIn,
  logInUrl,
  meUrl,
  newEmail,
  newSession,
  password,
  refreshUrl,
} from './test-accounts.ts';

let test: TestApp;
let smtp: FakeSmtp;
let close: () => Promise<void>;
beforeAll(async () => {
  ({ app: test, smtp, close } = await startMailingApp(exchangeEnv));
});
afterAll(() => close());

const resetsUrl = `${api}/auth/password-resets`;
const next = 'five other random words';
const minuteMs = 60_000;

const ask = (email: string) => test.anonymous.post(resetsUrl, { email });
const set = (token: string, given = next) =>
  test.anonymous.put(`${resetsUrl}/${encodeURIComponent(token)}`, { password: given });
const logInStatus = async (email: string, given: string): Promise<number> =>
  (await test.anonymous.post(logInUrl, { email, password: given })).status;
const notFound = { status: 404, body: { code: 'not-found' } };

async function tokenFor(email: string, count = 1): Promise<string> {
  await ask(email);
  return tokenIn(await mailTo(smtp, email, count));
}

describe('a new password by mail', () => {
  it('replaces the old one and ends every session', async () => {
    const { email, id, access, refresh } = await newSession(test);
    await ask(` ${email.toUpperCase()}`);
    const token = tokenIn(await mailTo(smtp, email));
    expect((await test.anonymous.get(meUrl, bearer(access))).status).toBe(200);
    expect(await set(token)).toMatchObject({ status: 204 });
    expect((await test.anonymous.get(meUrl, bearer(access))).status).toBe(401);
    const refreshed = await test.anonymous.post(refreshUrl, { refresh_token: refresh });
    expect(refreshed.status).toBe(401);
    expect(await logInStatus(email, password)).toBe(401);
    await logIn(test, email, next);
    const events = await test.db
      .selectFrom('events')
      .select(['actor_id', 'data'])
      .where('type', '=', 'user.password_reset')
      .where('subject_id', '=', id)
      .execute();
    expect(events).toEqual([{ actor_id: id, data: { id } }]);
  });

  it('has its link in the fragment, where no server sees it', async () => {
    const { email } = await newSession(test);
    await ask(email);
    const { text, html, subject } = await mailTo(smtp, email);
    expect(subject).toBe('Set a new password');
    const [link = ''] = /https:\S+/.exec(text) ?? [];
    expect(link).toMatch(/^https:\/\/support\.example\/set-password#[\w.-]+$/);
    expect(html).toContain(`href="${link}"`);
  });

  it('works once, also for two at the same moment', async () => {
    const { email } = await newSession(test);
    const token = await tokenFor(email);
    const replies = await Promise.all([set(token), set(token, 'six entirely different words')]);
    expect(replies.map(({ status }) => status).sort()).toEqual([204, 404]);
    expect(await set(token)).toMatchObject(notFound);
  });

  it('works for 30 minutes', async () => {
    const { email } = await newSession(test);
    const token = await tokenFor(email);
    test.clock.advance(29 * minuteMs);
    expect((await set(token, 'short')).status).toBe(422);
    test.clock.advance(minuteMs);
    expect(await set(token)).toMatchObject(notFound);
    await logIn(test, email);
  });

  it('voids the other links, as a change of the password does', async () => {
    const { email } = await newSession(test);
    const first = await tokenFor(email, 1);
    const second = await tokenFor(email, 2);
    expect((await set(second)).status).toBe(204);
    expect(await set(first)).toMatchObject(notFound);
    const third = await tokenFor(email, 3);
    const { access } = await logIn(test, email, next);
    const change = { current_password: next, new_password: password };
    const changed = await test.anonymous.put(`${meUrl}/password`, change, bearer(access));
    expect(changed.status).toBe(204);
    expect(await set(third)).toMatchObject(notFound);
  });

  it('opens no other account, and not with a changed character', async () => {
    const [mine, theirs] = [await newSession(test), await newSession(test)];
    const token = await tokenFor(mine.email);
    const [id = '', mac = ''] = token.split('.');
    const [otherId = ''] = (await tokenFor(theirs.email)).split('.');
    const changed = `${mac[0] === 'A' ? 'B' : 'A'}${mac.slice(1)}`;
    const bad = [`${otherId}.${mac}`, `${id}.${changed}`, `${id}.`, id, '.', '%00', `${token}x`];
    const replies = [];
    for (const text of bad) replies.push(await set(text));
    const bodies = replies.map(({ body }) => JSON.stringify({ ...body, request_id: '' }));
    expect(replies.map(({ status }) => status)).toEqual(bad.map(() => 404));
    expect(new Set(bodies).size).toBe(1);
    expect((await set(token)).status).toBe(204);
  });

  it('cannot be made from the database, its jobs or another key', async () => {
    const { email, id: userId } = await newSession(test);
    const token = await tokenFor(email);
    const row = await test.db
      .selectFrom('account_tokens')
      .selectAll()
      .where('user_id', '=', userId)
      .executeTakeFirstOrThrow();
    const jobs = await sql`select data from pgboss.job where name = 'mails'`.execute(test.db);
    const [, mac = ''] = token.split('.');
    expect(JSON.stringify([row, jobs.rows])).not.toContain(mac);
    const forged = accountTokenOf('a key that is used in tests only', row.id, userId);
    expect(await set(forged)).toMatchObject(notFound);
  });

  it('that is too short is refused, and the link still works', async () => {
    const { email } = await newSession(test);
    const token = await tokenFor(email);
    expect(await set(token, 'short')).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/password' }] },
    });
    expect((await set(token)).status).toBe(204);
  });
});

describe('asking for one', () => {
  it('gets the same reply for every e-mail', async () => {
    const { email } = await newSession(test);
    const replies = [];
    for (const address of [email, newEmail(), 'no e-mail at all']) replies.push(await ask(address));
    expect(replies.map(({ status, body }) => ({ status, body }))).toEqual(
      replies.map(() => ({ status: 202, body: { status: 'accepted' } })),
    );
    await mailTo(smtp, email);
  });

  it('leaves the same job for every e-mail, but for the ids', async () => {
    const { email } = await newSession(test);
    const newest = async () => {
      const { rows } = await sql<{ data: object }>`
        select data from pgboss.job where name = 'mails' order by created_on desc limit 1`.execute(
        test.db,
      );
      return rows[0]?.data ?? {};
    };
    const shapeOf = (data: object): string => JSON.stringify(data).replace(/[0-9a-f-]{36}/g, 'id');
    await ask(email);
    const known = shapeOf(await newest());
    await ask(newEmail());
    expect(shapeOf(await newest())).toBe(known);
    expect(known).toContain('"id"');
  });

  it('sends three in an hour, and no more', async () => {
    const { email } = await newSession(test);
    for (let count = 1; count <= 5; count += 1) expect((await ask(email)).status).toBe(202);
    await settled(test);
    expect(smtp.mailsTo(email)).toHaveLength(3);
    test.clock.advance(61 * minuteMs);
    await ask(email);
    await mailTo(smtp, email, 4);
  });

  it('sends nothing to who is disabled, or signs in through another product', async () => {
    const make = createFactories(test);
    const disabled = await newSession(test);
    await disable(test, disabled.id);
    const guest = newEmail();
    await test.anonymous.post(`${api}/auth/exchange`, { token: make.hostToken({ email: guest }) });
    for (const email of [disabled.email, guest]) expect((await ask(email)).status).toBe(202);
    await settled(test);
    expect([...smtp.mailsTo(disabled.email), ...smtp.mailsTo(guest)]).toEqual([]);
  });

  it('of a server that sends no mail is refused, whoever it is', async () => {
    const without = await startTestApp();
    try {
      const { user } = await without.as('customer');
      for (const email of [user.email, newEmail()]) {
        expect(await without.anonymous.post(resetsUrl, { email })).toMatchObject({
          status: 409,
          body: { code: 'mail-off' },
        });
      }
    } finally {
      await without.close();
    }
  });
});

it('a link is of no use to who has been disabled since', async () => {
  const { email, id } = await newSession(test);
  const token = await tokenFor(email);
  await disable(test, id);
  expect(await set(token)).toMatchObject(notFound);
});
