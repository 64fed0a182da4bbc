import { createHash } from 'node:crypto';
import { sql, type RawBuilder } from 'kysely';

/** Where a list goes on: the sort value and the id of the last row seen. */
export type Position = { value: string; id: string };

export type Page<Row> = { data: Row[]; next_cursor: string | null };

export class CursorError extends Error {}

/**
 * Cursors are opaque to clients and bound to what they were made for (user, filters, sort): one that
 * is used elsewhere would silently skip rows, so it is refused.
 */
function encodeCursor(position: Position, boundTo: unknown): string {
  const parts = [position.value, position.id, fingerprint(boundTo)];
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

const sortValue = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z|\d{1,15})$/;
const integerMax = 2 ** 31 - 1;

/** A time that there is, or a number that every column takes. */
const isSortValue = (value: string): boolean =>
  sortValue.test(value) &&
  (value.includes('-') ? !Number.isNaN(Date.parse(value)) : Number(value) <= integerMax);
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Throws `CursorError` for anything that `encodeCursor` did not make for the same list. */
export function decodeCursor(cursor: string, boundTo: unknown): Position {
  try {
    const parts: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (Array.isArray(parts) && parts.length === 3 && parts.every((p) => typeof p === 'string')) {
      const [value, id, mark] = parts as [string, string, string];
      if (mark === fingerprint(boundTo) && isSortValue(value) && uuid.test(id)) {
        return { value, id };
      }
    }
  } catch {
    // Not ours: the same refusal.
  }
  throw new CursorError('The cursor does not belong to this list.');
}

const fingerprint = (boundTo: unknown): string =>
  createHash('sha256').update(JSON.stringify(boundTo)).digest('base64url').slice(0, 16);

/** The keyset condition "behind `position`" for `order by column, id` in the given direction. */
export const behind = (
  column: string,
  id: string,
  cast: 'timestamptz' | 'bigint',
  direction: 'asc' | 'desc',
  position: Position,
): RawBuilder<boolean> =>
  sql<boolean>`(${sql.ref(column)}, ${sql.ref(id)}) ${sql.raw(direction === 'asc' ? '>' : '<')} (${position.value}::${sql.raw(cast)}, ${position.id}::uuid)`;

/** Cuts the one row too many that tells whether there is more. */
export function pageOf<Row extends { id: string }>(
  rows: Row[],
  limit: number,
  boundTo: unknown,
  valueOf: (row: Row) => string,
): Page<Row> {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  const more = rows.length > limit && last !== undefined;
  return {
    data,
    next_cursor: more ? encodeCursor({ value: valueOf(last), id: last.id }, boundTo) : null,
  };
}
