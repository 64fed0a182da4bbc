import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';

import {
  api,
  bearer,
  logInUrl,
  meUrl,
  newAccount,
  password,
  refreshUrl,
  signUpUrl,
} from './test-accounts.ts';

const sessionsUrl = `${meUrl}/sessions`;

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

/** An account that is signed in as often as asked. */
async function newPerson(times = 1) {
  const account = await newAccount(test);
  const logIn = (given = password) =>
    test.anonymous.post(logInUrl, { email: account.email, password: given });
  const tokens: string[] = [];
  for (let login = 0; login < times; login += 1) {
    tokens.push((await logIn()).body.access_token);
  }
  return { ...account, logIn, tokens, headers: bearer(tokens[0] ?? '') };
}

describe('me', () => {
  it('is who the token stands for', async () => {
    const { id, email, headers } = await newPerson();
    const reply = await test.anonymous.get(meUrl, headers);
    expect(reply).toMatchObject({ status: 200, body: { id, email, role: 'customer' } });
  });

  it.each(['customer', 'agent', 'admin'] as const)('is there for the role %s', async (role) => {
    const person = role === 'customer' ? await test.signUp() : await test.as(role);
    expect(await person.get(meUrl)).toMatchObject({ status: 200, body: { role } });
  });

  it('changes its name, which the next request shows', async () => {
    const { headers } = await newPerson();
    const reply = await test.anonymous.patch(meUrl, { name: 'Ada King 🦉' }, headers);
    expect(reply).toMatchObject({ status: 200, body: { name: 'Ada King 🦉', version: 2 } });
    expect((await test.anonymous.get(meUrl, headers)).body.name).toBe('Ada King 🦉');
  });

  it('stays at its version when nothing changes', async () => {
    const { headers } = await newPerson();
    const reply = await test.anonymous.patch(meUrl, { name: 'Ada' }, headers);
    expect(reply).toMatchObject({ status: 200, body: { version: 1 } });
  });

  it.each([
    ['a role', { role: 'admin' }],
    ['an e-mail', { email: 'other@example.com' }],
    ['disabled', { name: 'Ada', disabled: false }],
    ['nothing', {}],
    ['a name with U+0000', { name: 'A\0' }],
    ['no object', 'Ada'],
  ])('cannot be changed by %s', async (_what, body) => {
    const { headers } = await newPerson();
    const json = { ...headers, 'content-type': 'application/json' };
    const reply = await test.anonymous.patch(meUrl, JSON.stringify(body), json);
    expect(reply.status).toBe(422);
  });

  it.each([
    ['get', meUrl],
    ['patch', meUrl],
    ['delete', meUrl],
    ['put', `${meUrl}/password`],
    ['get', sessionsUrl],
    ['delete', `${sessionsUrl}/${randomUUID()}`],
  ] as const)('is nobody without a token: %s %s', async (method, url) => {
    const reply = await test.anonymous[method](url);
    expect(reply).toMatchObject({ status: 401, body: { code: 'unauthenticated' } });
    expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
  });
});

describe('deleting me', () => {
  it('ends the session also for a change that was on its way', async () => {
    const { id, headers } = await newPerson();
    expect((await test.anonymous.delete(meUrl, headers)).status).toBe(204);
    // As if the session had been looked up just before.
    const actor = { id, role: 'customer', name: 'Ada', sessionId: randomUUID() } as const;
    const change = test.container.auth.updateMe(actor, { name: 'Ada' }, undefined);
    await expect(change).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('forgets the person and ends all sessions', async () => {
    const { id, email, headers, logIn, tokens } = await newPerson(2);
    expect((await test.anonymous.delete(meUrl, headers)).status).toBe(204);
    for (const token of tokens) {
      expect((await test.anonymous.get(meUrl, bearer(token))).status).toBe(401);
    }
    expect((await logIn()).status).toBe(401);
    const row = await test.db
      .selectFrom('users')
      .selectAll()
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(row).toMatchObject({
      email: `deleted-${id}@deleted.invalid`,
      name: 'Deleted user',
      password_hash: null,
      disabled_at: expect.any(Date),
    });
    expect(JSON.stringify(row)).not.toContain(email);
    const events = await test.db
      .selectFrom('events')
      .select(['type', 'data'])
      .where('subject_id', '=', id)
      .orderBy('id')
      .execute();
    expect(events.map((event) => event.type)).toEqual([
      'user.created',
      ...['user.signed_in', 'user.signed_in'],
      'user.updated',
    ]);
    expect(JSON.stringify(events)).not.toContain('Ada');
  });

  it('frees the e-mail for a new account', async () => {
    const { email, headers } = await newPerson();
    await test.anonymous.delete(meUrl, headers);
    const account = { email, name: 'Ada', password };
    expect((await test.anonymous.post(signUpUrl, account)).status).toBe(201);
  });

  it('leaves the tickets, as those of nobody', async () => {
    const { id, headers } = await newPerson();
    const ticket = { title: 'My parcel', description: 'Where is it?' };
    const opened = await test.anonymous.post(`${api}/tickets`, ticket, headers);
    expect(opened.status).toBe(201);
    expect((await test.anonymous.delete(meUrl, headers)).status).toBe(204);
    const agent = await test.as('agent');
    const reply = await agent.get(`${api}/tickets/${opened.body.id}`);
    expect(reply).toMatchObject({
      status: 200,
      body: { requester: { id, name: 'Deleted user' } },
    });
  });

  it('is refused to the last admin', async () => {
    const { id, headers } = await newPerson();
    await test.db.updateTable('users').set({ role: 'agent' }).where('role', '=', 'admin').execute();
    await test.db.updateTable('users').set({ role: 'admin' }).where('id', '=', id).execute();
    const reply = await test.anonymous.delete(meUrl, headers);
    expect(reply).toMatchObject({ status: 409, body: { code: 'last-admin' } });
    expect((await test.anonymous.get(meUrl, headers)).status).toBe(200);
  });
});

describe('changing my password', () => {
  const next = 'five other random words';

  it('ends the other sessions and keeps this one', async () => {
    const { headers, tokens, logIn } = await newPerson(3);
    const body = { current_password: password, new_password: next };
    expect((await test.anonymous.put(`${meUrl}/password`, body, headers)).status).toBe(204);
    const replies = await Promise.all(
      tokens.map((token) => test.anonymous.get(meUrl, bearer(token))),
    );
    expect(replies.map((reply) => reply.status)).toEqual([200, 401, 401]);
    expect((await logIn()).status).toBe(401);
    expect((await logIn(next)).status).toBe(200);
  });

  it('needs the current one', async () => {
    const { headers, logIn } = await newPerson();
    const body = { current_password: 'not the password', new_password: next };
    const reply = await test.anonymous.put(`${meUrl}/password`, body, headers);
    expect(reply).toMatchObject({
      status: 422,
      body: { errors: [{ pointer: '/current_password', code: 'incorrect' }] },
    });
    expect((await logIn()).status).toBe(200);
  });

  it('twice at once succeeds once', async () => {
    const { headers } = await newPerson();
    const body = { current_password: password, new_password: next };
    const replies = await Promise.all([
      test.anonymous.put(`${meUrl}/password`, body, headers),
      test.anonymous.put(`${meUrl}/password`, body, headers),
    ]);
    expect(replies.map((reply) => reply.status).sort()).toEqual([204, 422]);
  });

  it('leaves no session to a log-in with the old one at the same moment', async () => {
    const { headers, logIn } = await newPerson();
    const body = { current_password: password, new_password: next };
    const [changed, ...logIns] = await Promise.all([
      test.anonymous.put(`${meUrl}/password`, body, headers),
      ...Array.from({ length: 6 }, () => logIn()),
    ]);
    expect(changed.status).toBe(204);
    for (const { status, body } of logIns) {
      expect([200, 401]).toContain(status);
      if (status !== 200) continue;
      const refresh = { refresh_token: body.refresh_token };
      expect((await test.anonymous.post(refreshUrl, refresh)).status).toBe(401);
    }
  });

  it.each([
    ['a short new one', { current_password: password, new_password: 'short' }],
    ['no current one', { new_password: next }],
    ['an unknown field', { current_password: password, new_password: next, user_id: 'x' }],
  ])('with %s is refused', async (_what, body) => {
    const { headers } = await newPerson();
    expect((await test.anonymous.put(`${meUrl}/password`, body, headers)).status).toBe(422);
  });
});

describe('my sessions', () => {
  it('are listed newest first, with the one I use marked', async () => {
    const { headers } = await newPerson(2);
    const reply = await test.anonymous.get(sessionsUrl, headers);
    expect(reply.status).toBe(200);
    expect(reply.body.next_cursor).toBeNull();
    expect(reply.body.data.map((session: { current: boolean }) => session.current)).toEqual([
      false,
      true,
    ]);
    expect(reply.body.data[0]).toEqual({
      id: expect.any(String),
      current: false,
      user_agent: expect.any(String),
      created_at: expect.any(String),
      last_refreshed_at: expect.any(String),
      expires_at: expect.any(String),
    });
  });

  it('come in pages that show each of them once', async () => {
    const { headers } = await newPerson(5);
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await test.anonymous.get(`${sessionsUrl}?limit=2${query}`, headers);
      seen.push(...body.data.map((session: { id: string }) => session.id));
      cursor = body.next_cursor;
    }
    expect(seen.length).toBe(5);
    expect(new Set(seen).size).toBe(5);
  });

  it.each(['limit=0', 'limit=101', 'limit=x', 'cursor=x', 'unknown=1'])(
    'are not listed with ?%s',
    async (query) => {
      const { headers } = await newPerson();
      expect((await test.anonymous.get(`${sessionsUrl}?${query}`, headers)).status).toBe(422);
    },
  );

  it('are not listed with the cursor of somebody else', async () => {
    const [mine, theirs] = [await newPerson(), await newPerson(2)];
    const { body } = await test.anonymous.get(`${sessionsUrl}?limit=1`, theirs.headers);
    const url = `${sessionsUrl}?limit=1&cursor=${body.next_cursor}`;
    expect(await test.anonymous.get(url, mine.headers)).toMatchObject({
      status: 422,
      body: { code: 'invalid-cursor' },
    });
  });

  it('can be ended one by one, and what has ended is not there any more', async () => {
    const { headers, tokens } = await newPerson(2);
    const { body } = await test.anonymous.get(sessionsUrl, headers);
    const other = `${sessionsUrl}/${body.data[0].id}`;
    expect((await test.anonymous.delete(other, headers)).status).toBe(204);
    expect((await test.anonymous.get(meUrl, bearer(tokens[1] ?? ''))).status).toBe(401);
    expect((await test.anonymous.get(sessionsUrl, headers)).body.data.length).toBe(1);
    expect((await test.anonymous.delete(other, headers)).status).toBe(404);
  });

  it('of somebody else look like none at all', async () => {
    const [mine, theirs] = [await newPerson(), await newPerson()];
    const { body } = await test.anonymous.get(sessionsUrl, theirs.headers);
    const foreign = `${sessionsUrl}/${body.data[0].id}`;
    const replies = await Promise.all(
      [foreign, `${sessionsUrl}/${randomUUID()}`, `${sessionsUrl}/x`].map((url) =>
        test.anonymous.delete(url, mine.headers),
      ),
    );
    for (const reply of replies) {
      expect(reply.status).toBe(404);
      expect(reply.body).toEqual({ ...replies[0]?.body, request_id: expect.any(String) });
    }
    expect((await test.anonymous.get(meUrl, theirs.headers)).status).toBe(200);
  });
});
