import { argon2Sync, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test as it } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import {
  bearer,
  disable,
  logIn,
  logInUrl,
  meUrl,
  newAccount,
  newEmail,
  password,
  signUpUrl,
} from './test-accounts.ts';

const form = { 'content-type': 'application/x-www-form-urlencoded' };

let test: TestApp;
beforeAll(async () => {
  test = await startTestApp();
});
afterAll(() => test.close());

/** As a cheaper configuration would have stored it. */
function cheapHash(text: string): string {
  const salt = randomBytes(16);
  const cost = { memory: 8_192, passes: 1, parallelism: 1, tagLength: 32 };
  const hash = argon2Sync('argon2id', { message: text, nonce: salt, ...cost });
  const [saltText, hashText] = [salt, hash].map((bytes) =>
    bytes.toString('base64').replace(/=+$/, ''),
  );
  return `$argon2id$v=19$m=8192,t=1,p=1$${saltText}$${hashText}`;
}

describe('sign-up', () => {
  it('makes a customer, without the password in the reply', async () => {
    const email = newEmail();
    const reply = await test.anonymous.post(signUpUrl, {
      email: email.toUpperCase(),
      name: 'Ada',
      password,
    });
    expect(reply.status).toBe(201);
    expect(reply.body).toEqual({
      id: expect.any(String),
      email,
      name: 'Ada',
      locale: null,
      role: 'customer',
      disabled: false,
      version: 1,
      created_at: expect.stringMatching(/^\d{4}-.*Z$/),
      updated_at: expect.stringMatching(/^\d{4}-.*Z$/),
    });
  });

  it('is recorded, without a word of the person', async () => {
    const { id } = await newAccount(test);
    const events = await test.db
      .selectFrom('events')
      .selectAll()
      .where('subject_id', '=', id)
      .execute();
    expect(events).toMatchObject([
      { type: 'user.created', actor_type: 'customer', actor_id: id, data: { role: 'customer' } },
    ]);
  });

  it('with a known e-mail is a conflict, whatever its upper and lower case', async () => {
    const { email } = await newAccount(test);
    const reply = await test.anonymous.post(signUpUrl, {
      email: email.toUpperCase(),
      name: 'B',
      password,
    });
    expect(reply).toMatchObject({ status: 409, body: { code: 'email-taken' } });
  });

  it('of one e-mail ten times at once makes one account', async () => {
    const email = newEmail();
    const replies = await Promise.all(
      Array.from({ length: 10 }, () =>
        test.anonymous.post(signUpUrl, { email, name: 'A', password }),
      ),
    );
    expect(replies.map((reply) => reply.status).sort()).toEqual([201, ...Array(9).fill(409)]);
  });

  it.each([
    ['a role', { role: 'admin' }, '/role'],
    ['an unknown field', { is_admin: true }, '/is_admin'],
    ['a name with U+0000', { name: 'A\0da' }, '/name'],
    ['a name with a lone surrogate', { name: 'A\ud800' }, '/name'],
    ['a name that changes direction', { name: 'A\u202eda' }, '/name'],
    ['a name of two lines', { name: 'A\nda' }, '/name'],
    ['a blank name', { name: '  ' }, '/name'],
    ['a name of 101 characters', { name: 'x'.repeat(101) }, '/name'],
    ['no name', { name: undefined }, '/name'],
    ['text that is no e-mail', { email: 'ada' }, '/email'],
    ['an e-mail of 255 characters', { email: `${'a'.repeat(243)}@example.com` }, '/email'],
    ['an e-mail at a domain that cannot receive', { email: 'a@deleted.invalid' }, '/email'],
    ['an e-mail that is a list', { email: ['ada@example.com'] }, '/email'],
    ['a password of nine characters', { password: '123456789' }, '/password'],
    ['a password of nine emoji', { password: '🔑'.repeat(9) }, '/password'],
    ['a password of 201 characters', { password: 'x'.repeat(201) }, '/password'],
    ['a password that is a number', { password: 1_234_567_890 }, '/password'],
  ])('with %s is refused', async (_what, change, pointer) => {
    const body = { email: newEmail(), name: 'Ada', password, ...change };
    const reply = await test.anonymous.post(signUpUrl, body);
    expect(reply).toMatchObject({ status: 422, body: { errors: [{ pointer }] } });
  });

  it('counts the characters of a password, not its bytes', async () => {
    const email = newEmail();
    const long = '🔑'.repeat(200);
    const reply = await test.anonymous.post(signUpUrl, { email, name: '🐧', password: long });
    expect(reply.status).toBe(201);
    await logIn(test, email, long);
  });

  it('takes no form, for another site could post one', async () => {
    const body = `email=${newEmail()}&name=Ada&password=${password}`;
    expect((await test.anonymous.post(signUpUrl, body, form)).status).toBe(415);
  });

  it('without a body is refused', async () => {
    expect((await test.anonymous.post(signUpUrl)).status).toBe(422);
  });
});

describe('log-in', () => {
  it('gives an access token for ten minutes and a refresh token, which no cache may keep', async () => {
    const { email, id } = await newAccount(test);
    const reply = await test.anonymous.post(logInUrl, { email, password });
    expect(reply.status).toBe(200);
    expect(reply.body).toEqual({
      access_token: expect.any(String),
      token_type: 'bearer',
      expires_in: 600,
      refresh_token: expect.stringMatching(/^[\da-f-]{36}\.[\w-]{43}$/),
    });
    expect(reply.headers['cache-control']).toBe('no-store');
    const me = await test.anonymous.get(meUrl, bearer(reply.body.access_token));
    expect(me.body.id).toBe(id);
  });

  it('takes the e-mail in any case and with blanks around it', async () => {
    const { email } = await newAccount(test);
    await logIn(test, `  ${email.toUpperCase()} `);
  });

  it('takes the password form of OAuth2 and ignores what does not matter', async () => {
    const { email } = await newAccount(test);
    const fields = { username: email, password, grant_type: 'password', scope: '', client_id: 'x' };
    const body = new URLSearchParams({ ...fields, client_secret: '' }).toString();
    const reply = await test.anonymous.post(logInUrl, body, form);
    expect(reply).toMatchObject({ status: 200, body: { token_type: 'bearer' } });
  });

  it('says the same for an unknown e-mail, a wrong password and a disabled user', async () => {
    const [known, disabled] = [await newAccount(test), await newAccount(test)];
    await disable(test, disabled.id);
    const replies = await Promise.all([
      test.anonymous.post(logInUrl, { email: newEmail(), password }),
      test.anonymous.post(logInUrl, { email: 'no e-mail at all', password }),
      test.anonymous.post(logInUrl, { email: known.email, password: 'another password' }),
      test.anonymous.post(logInUrl, { email: disabled.email, password }),
    ]);
    for (const reply of replies) {
      expect(reply.status).toBe(401);
      expect(reply.headers['www-authenticate']).toContain('Bearer');
      expect(reply.body).toEqual({ ...replies[0]?.body, request_id: expect.any(String) });
    }
    expect(replies[0]?.body.code).toBe('invalid-credentials');
  });

  it('replaces a hash of an outdated cost', async () => {
    const { email, id } = await newAccount(test);
    const stored = { password_hash: cheapHash(password) };
    await test.db.updateTable('users').set(stored).where('id', '=', id).execute();
    await logIn(test, email);
    const user = await test.db
      .selectFrom('users')
      .select('password_hash')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    expect(user.password_hash).toContain('m=19456,t=2,p=1');
    await logIn(test, email);
  });

  it('of five devices at once with an outdated hash lets all of them in', async () => {
    const { email, id } = await newAccount(test);
    const stored = { password_hash: cheapHash(password) };
    await test.db.updateTable('users').set(stored).where('id', '=', id).execute();
    await Promise.all(Array.from({ length: 5 }, () => logIn(test, email)));
  });

  it.each([
    ['an unknown field', { email: 'a@example.com', password, role: 'admin' }],
    ['no password', { email: 'a@example.com' }],
    ['an empty password', { email: 'a@example.com', password: '' }],
    ['a password longer than any', { email: 'a@example.com', password: 'x'.repeat(201) }],
    ['a password with U+0000', { email: 'a@example.com', password: 'four\0words' }],
    ['an unknown kind of session', { email: 'a@example.com', password, session: 'forever' }],
    ['a list', []],
  ])('with %s is refused', async (_what, body) => {
    expect((await test.anonymous.post(logInUrl, body)).status).toBe(422);
  });

  it.each(['', 'username=a', 'username=%00&password=x', 'username=a&password=%00', 'password=x'])(
    'with the form %j is refused',
    async (body) => {
      expect((await test.anonymous.post(logInUrl, body, form)).status).toBe(422);
    },
  );

  it('with a field of the form given twice or unknown is refused', async () => {
    const bodies = ['username=a&username=b&password=x', 'username=a&password=x&session=cookie'];
    for (const body of bodies) {
      expect((await test.anonymous.post(logInUrl, body, form)).status).toBe(422);
    }
  });

  it('without a body is refused', async () => {
    expect((await test.anonymous.post(logInUrl)).status).toBe(422);
  });
});
