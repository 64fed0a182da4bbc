import { sql, type Kysely } from 'kysely';
import type { Migration } from 'kysely/migration';

/** A `;` at the end of a line, outside of `$$ … $$`. */
const separator = /;\s*\n(?=(?:[^$]*\$\$[^$]*\$\$)*[^$]*$)/;

/** A migration of plain statements, separated by `;` at the end of a line. */
export const statements = (text: string): Migration => ({
  async up(db: Kysely<unknown>) {
    for (const statement of text.split(separator)) {
      if (statement.trim()) await sql.raw(statement).execute(db);
    }
  },
});
