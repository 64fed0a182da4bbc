import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test as it } from 'vitest';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';
import { bearer, logInUrl, meUrl, password } from '../auth/test-accounts.ts';
import { eventsOf, newUser, tokenOf, usersUrl } from './test-users.ts';

let test: TestApp;
let admin: TestClient;
beforeAll(async () => {
  test = await startTestApp();
  admin = await test.as('admin');
});
afterAll(() => test.close());

describe('changing a user', () => {
  it('changes what is sent, and counts', async () => {
    const { url, id } = await newUser(admin);
    const reply = await admin.patch(url, { name: 'Grace', role: 'admin' });
    expect(reply).toMatchObject({
      status: 200,
      body: { name: 'Grace', role: 'admin', version: 2 },
    });
    expect(reply.headers['etag']).toBe('"2"');
    expect(await eventsOf(test, id)).toMatchObject([
      { type: 'user.created' },
      {
        type: 'user.updated',
        actor_id: admin.user.id,
        data: { role: 'admin', disabled: false, name_changed: true },
        previous: { role: 'agent', disabled: false },
      },
    ]);
  });

  it('to what it is already changes and records nothing', async () => {
    const { url, id } = await newUser(admin);
    const reply = await admin.patch(url, { name: 'Grace Hopper', role: 'agent', disabled: false });
    expect(reply).toMatchObject({ status: 200, body: { version: 1 } });
    expect((await eventsOf(test, id)).length).toBe(1);
  });

  // Two transactions at once need two connections, which the embedded database does not have.
  it.skipIf(!inject('databases').serverUrl)(
    'does not wait for a transaction that only refers to an admin',
    async () => {
      const { url } = await newUser(admin);
      await test.db.transaction().execute(async (db) => {
        // The lock that a foreign key takes.
        await db
          .selectFrom('users')
          .select('id')
          .where('id', '=', admin.user.id)
          .forKeyShare()
          .execute();
        expect((await admin.patch(url, { role: 'admin' })).status).toBe(200);
      });
    },
  );

  it('gives and takes functions at once, also to who is signed in', async () => {
    const { url, email } = await newUser(admin, { role: 'agent' });
    const headers = bearer(await tokenOf(test, email));
    expect((await test.anonymous.get(`${usersUrl}/${randomUUID()}`, headers)).status).toBe(403);
    await admin.patch(url, { role: 'admin' });
    test.clock.advance(500);
    expect((await test.anonymous.get(`${usersUrl}/${randomUUID()}`, headers)).status).toBe(404);
    await admin.patch(url, { role: 'customer' });
    test.clock.advance(500);
    expect((await test.anonymous.get(usersUrl, headers)).status).toBe(403);
  });

  it('to disabled ends the sessions and keeps the user out until enabled again', async () => {
    const { url, email } = await newUser(admin);
    const headers = bearer(await tokenOf(test, email));
    expect((await test.anonymous.get(meUrl, headers)).status).toBe(200);
    expect(await admin.patch(url, { disabled: true })).toMatchObject({
      status: 200,
      body: { disabled: true },
    });
    expect((await test.anonymous.get(meUrl, headers)).status).toBe(401);
    const login = { email, password };
    expect((await test.anonymous.post(logInUrl, login)).status).toBe(401);
    await admin.patch(url, { disabled: false });
    expect((await test.anonymous.post(logInUrl, login)).status).toBe(200);
    expect((await test.anonymous.get(meUrl, headers)).status).toBe(401);
  });

  it('at the version that one has read goes through', async () => {
    const { url } = await newUser(admin);
    expect((await admin.patch(url, { name: 'A' }, { 'if-match': '"1"' })).status).toBe(200);
    expect((await admin.patch(url, { name: 'B' }, { 'if-match': '*' })).status).toBe(200);
    expect((await admin.patch(url, { name: 'C' })).status).toBe(200);
  });

  it.each(['"1"', '"7"', '1', 'x', '"99999999999999"'])(
    'at another version (%s) is refused with the current ETag',
    async (ifMatch) => {
      const { url } = await newUser(admin);
      await admin.patch(url, { name: 'Newer' });
      const reply = await admin.patch(url, { name: 'Stale' }, { 'if-match': ifMatch });
      expect(reply).toMatchObject({ status: 412, body: { code: 'version-mismatch' } });
      expect(reply.headers['etag']).toBe('"2"');
      expect((await admin.get(url)).body.name).toBe('Newer');
    },
  );

  it('by ten at once at one version succeeds once', async () => {
    const { url } = await newUser(admin);
    const replies = await Promise.all(
      Array.from({ length: 10 }, (_, n) =>
        admin.patch(url, { name: `Name ${n}` }, { 'if-match': '"1"' }),
      ),
    );
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, ...Array(9).fill(412)]);
  });

  it.each([
    ['nothing', {}],
    ['an unknown role', { role: 'owner' }],
    ['an e-mail', { email: 'x@example.com' }],
    ['a password', { password }],
    ['a version', { version: 7 }],
    ['disabled as text', { disabled: 'true' }],
    ['a name of two lines', { name: 'a\nb' }],
  ])('by %s is refused', async (_what, body) => {
    const { url } = await newUser(admin);
    expect((await admin.patch(url, body)).status).toBe(422);
  });
});

describe('the last admin', () => {
  /** Two admins who can log in, and nobody else. */
  async function twoAdmins() {
    const made = [await newUser(admin, { role: 'admin' }), await newUser(admin, { role: 'admin' })];
    const people = await Promise.all(
      made.map(async (user) => ({ ...user, headers: bearer(await tokenOf(test, user.email)) })),
    );
    const [one, two] = people;
    if (!one || !two) throw new Error('unreachable');
    await test.db
      .updateTable('users')
      .set({ role: 'agent' })
      .where('role', '=', 'admin')
      .where('id', 'not in', [one.id, two.id])
      .execute();
    test.clock.advance(500);
    return [one, two] as const;
  }

  /** Gives the file's admin the role back. */
  async function restore(): Promise<void> {
    await test.db
      .updateTable('users')
      .set({ role: 'admin' })
      .where('id', '=', admin.user.id)
      .execute();
    test.clock.advance(500);
  }

  it('can be neither demoted nor disabled, but may be renamed', async () => {
    const [one, two] = await twoAdmins();
    const byOne = (url: string, body: object) => test.anonymous.patch(url, body, one.headers);
    expect((await byOne(two.url, { disabled: true })).status).toBe(200);
    for (const body of [{ role: 'agent' }, { disabled: true }, { name: 'X', role: 'customer' }]) {
      expect(await byOne(one.url, body)).toMatchObject({
        status: 409,
        body: { code: 'last-admin' },
      });
    }
    expect((await byOne(one.url, { name: 'The last' })).status).toBe(200);
    await restore();
  });

  it('is one also when two demote each other at the same moment', async () => {
    const [one, two] = await twoAdmins();
    const replies = await Promise.all([
      test.anonymous.patch(two.url, { role: 'agent' }, one.headers),
      test.anonymous.patch(one.url, { role: 'agent' }, two.headers),
    ]);
    expect(replies.map((reply) => reply.status).sort()).toEqual([200, 409]);
    await restore();
  });

  it('is one also when two delete themselves at the same moment', async () => {
    const [one, two] = await twoAdmins();
    const replies = await Promise.all(
      [one, two].map(({ headers }) => test.anonymous.delete(meUrl, headers)),
    );
    expect(replies.map((reply) => reply.status).sort()).toEqual([204, 409]);
    await restore();
  });

  it('is not saved by an admin who cannot log in', async () => {
    const [one, two] = await twoAdmins();
    await test.db
      .updateTable('users')
      .set({ password_hash: null })
      .where('id', '=', two.id)
      .execute();
    const reply = await test.anonymous.patch(one.url, { role: 'agent' }, one.headers);
    expect(reply).toMatchObject({ status: 409, body: { code: 'last-admin' } });
    await restore();
  });
});
