import { expect } from 'vitest';
import type { TestApp, TestClient } from '../../../test/harness.ts';
import { api, logIn, newEmail, password } from '../auth/test-accounts.ts';

export const usersUrl = `${api}/users`;

export const person = (change: object = {}) => ({
  email: newEmail(),
  name: 'Grace Hopper',
  role: 'agent',
  password,
  ...change,
});

export async function newUser(admin: TestClient, change: object = {}) {
  const { status, body } = await admin.post(usersUrl, person(change));
  expect(status).toBe(201);
  return { id: String(body.id), email: String(body.email), url: `${usersUrl}/${body.id}` };
}

export const tokenOf = async (test: TestApp, email: string): Promise<string> =>
  (await logIn(test, email)).access;

export const eventsOf = (test: TestApp, id: string) =>
  test.db
    .selectFrom('events')
    .select(['type', 'actor_type', 'actor_id', 'data', 'previous'])
    .where('subject_id', '=', id)
    .orderBy('id')
    .execute();
