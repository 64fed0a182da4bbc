import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { startTestApp, type TestApp, type TestClient } from '../../../test/harness.ts';
import { newUser, usersUrl } from './test-users.ts';

let test: TestApp;
let admin: TestClient;
beforeAll(async () => {
  test = await startTestApp();
  admin = await test.as('admin');
});
afterAll(() => test.close());

describe('listing users', () => {
  it('shows admins everything but the password', async () => {
    const { id } = await newUser(admin);
    const { status, body } = await admin.get(usersUrl);
    expect(status).toBe(200);
    expect(body.data[0]).toMatchObject({ id, role: 'agent', disabled: false, version: 1 });
    expect(JSON.stringify(body)).not.toContain('argon2');
  });

  it('shows agents the customers who are not disabled, with id, name and e-mail', async () => {
    const agent = await test.as('agent');
    const mark = randomUUID().slice(0, 8);
    const customer = await newUser(admin, { name: `C ${mark}`, role: 'customer' });
    const disabled = await newUser(admin, { name: `D ${mark}`, role: 'customer' });
    await newUser(admin, { name: `A ${mark}`, role: 'agent' });
    await admin.patch(disabled.url, { disabled: true });
    const { status, body } = await agent.get(`${usersUrl}?q=${mark}`);
    expect(status).toBe(200);
    expect(body.data).toEqual([{ id: customer.id, name: `C ${mark}`, email: customer.email }]);
    expect((await agent.get(`${usersUrl}?role=customer&disabled=false`)).status).toBe(200);
  });

  it.each(['role=agent', 'role=customer&role=admin', 'disabled=true'])(
    'refuses agents who ask for ?%s',
    async (query) => {
      const agent = await test.as('agent');
      expect(await agent.get(`${usersUrl}?${query}`)).toMatchObject({
        status: 403,
        body: { code: 'forbidden' },
      });
    },
  );

  it('filters by roles, state, and part of the name or the e-mail', async () => {
    const mark = randomUUID();
    const one = await newUser(admin, { name: `One ${mark}`, role: 'agent' });
    const two = await newUser(admin, { email: `two-${mark}@example.com`, role: 'admin' });
    const three = await newUser(admin, { name: `Three ${mark}`, role: 'customer' });
    await admin.patch(one.url, { disabled: true });
    const found = async (query: string): Promise<string[]> => {
      const { body } = await admin.get(`${usersUrl}?q=${mark.toUpperCase()}&${query}`);
      return body.data.map((user: { id: string }) => user.id);
    };
    expect(await found('')).toEqual([three.id, two.id, one.id]);
    expect(await found('role=agent&role=admin')).toEqual([two.id, one.id]);
    expect(await found('disabled=true')).toEqual([one.id]);
    expect(await found('disabled=false&role=customer')).toEqual([three.id]);
  });

  it.each(['%25', '_', '%5C', "'"])('takes q=%s as it is, not as a pattern', async (text) => {
    const mark = randomUUID();
    await newUser(admin, { name: `plain ${mark}` });
    const found = await admin.get(`${usersUrl}?q=${text}${mark}`);
    expect(found).toMatchObject({ status: 200, body: { data: [] } });
    const literal = `100${decodeURIComponent(text)}${mark}`;
    const { id } = await newUser(admin, { name: literal });
    const { body } = await admin.get(`${usersUrl}?q=${text}${mark}`);
    expect(body.data.map((user: { id: string }) => user.id)).toEqual([id]);
  });

  it('comes in pages that show each of them once, also of one millisecond', async () => {
    const mark = randomUUID();
    const made = await Promise.all(
      Array.from({ length: 5 }, () => newUser(admin, { name: mark, role: 'customer' })),
    );
    const seen: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await admin.get(`${usersUrl}?q=${mark}&limit=2${query}`);
      seen.push(...body.data.map((user: { id: string }) => user.id));
      cursor = body.next_cursor;
    }
    expect(seen.sort()).toEqual(made.map((user) => user.id).sort());
  });

  it('binds a cursor to its filters', async () => {
    const { body } = await admin.get(`${usersUrl}?limit=1`);
    expect(body.next_cursor).toEqual(expect.any(String));
    expect(
      await admin.get(`${usersUrl}?limit=1&role=agent&cursor=${body.next_cursor}`),
    ).toMatchObject({
      status: 422,
      body: { code: 'invalid-cursor' },
    });
  });

  it.each(['limit=0', 'role=owner', 'disabled=perhaps', 'q=', 'q=%00', 'cursor=x', 'sort=name'])(
    'refuses ?%s',
    async (query) => {
      expect((await admin.get(`${usersUrl}?${query}`)).status).toBe(422);
    },
  );
});
