import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * `<id of the row>.<HMAC>`. The row alone makes no token, and neither does the server's secret alone:
 * a copy of the database opens no account.
 */
export const accountTokenOf = (key: string, id: string, userId: string): string =>
  `${id}.${macOf(key, id, userId)}`;

const form = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.([\w-]{43})$/;

/** The id of the row that a token names; undefined for what is no token. */
export const accountTokenIdOf = (token: string): string | undefined => form.exec(token)?.[1];

/** Whether one of the keys made the token for this user. */
export function isAccountTokenOf(keys: readonly string[], token: string, userId: string): boolean {
  const [, id, mac] = form.exec(token) ?? [];
  if (!id || !mac) return false;
  const given = Buffer.from(mac);
  return keys.some((key) => timingSafeEqual(Buffer.from(macOf(key, id, userId)), given));
}

const macOf = (key: string, id: string, userId: string): string =>
  createHmac('sha256', key).update(`account-token ${id} ${userId}`).digest('base64url');
