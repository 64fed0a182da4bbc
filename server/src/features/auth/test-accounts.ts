import { randomUUID } from 'node:crypto';
import { expect } from 'vitest';
import type { TestApp } from '../../../test/harness.ts';

/** Accounts that tests sign up and log in over HTTP, as a client would. */
export const password = 'four random words';
export const api = '/api/v1';
export const signUpUrl = `${api}/auth/signup`;
export const logInUrl = `${api}/auth/login`;
export const refreshUrl = `${api}/auth/refresh`;
export const meUrl = `${api}/me`;

export const newEmail = (): string => `person-${randomUUID()}@example.com`;

export const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

export async function newAccount(test: TestApp): Promise<{ email: string; id: string }> {
  const email = newEmail();
  const reply = await test.anonymous.post(signUpUrl, { email, name: 'Ada', password });
  expect(reply.status).toBe(201);
  return { email, id: reply.body.id };
}

export async function logIn(
  test: TestApp,
  email: string,
  given = password,
): Promise<{ access: string; refresh: string }> {
  const reply = await test.anonymous.post(logInUrl, { email, password: given });
  expect(reply.status).toBe(200);
  return { access: reply.body.access_token, refresh: reply.body.refresh_token };
}

/** A new account with one session. */
export async function newSession(test: TestApp) {
  const account = await newAccount(test);
  return { ...account, ...(await logIn(test, account.email)) };
}

/** What another instance would do: this process does not notice by itself. */
export const disable = (test: TestApp, id: string) =>
  test.db.updateTable('users').set({ disabled_at: new Date() }).where('id', '=', id).execute();
