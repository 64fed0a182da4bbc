import { sql, type Kysely } from 'kysely';
import type { Tables } from '../src/tables.ts';

type Column = { schema: string; table: string; column: string; type: string };

/** Every column of every table that is not PostgreSQL's own, from the database itself. */
export async function columnsOf(db: Kysely<Tables>): Promise<Column[]> {
  const { rows } = await sql<Column>`
    select table_schema as schema, table_name as table, column_name as column, data_type as type
    from information_schema.columns join information_schema.tables
      using (table_catalog, table_schema, table_name)
    where table_type = 'BASE TABLE' and table_schema !~ '^(pg_|information_schema)'
    order by table_schema, table_name, ordinal_position`.execute(db);
  return rows;
}

/** In how many rows of each column a text is found: `schema.table.column` → rows, if there are any. */
export async function scan(db: Kysely<Tables>, text: string): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  const byTable = Map.groupBy(await columnsOf(db), ({ schema, table }) => `${schema}.${table}`);
  for (const [table, columns] of byTable) {
    const counts = columns.map(({ column, type }) => {
      const ref = sql.ref(column);
      const value = type === 'bytea' ? sql`encode(${ref}, 'escape')` : sql`${ref}::text`;
      return sql`count(*) filter (where position(${text} in lower(${value})) > 0)::int
        as ${sql.ref(column)}`;
    });
    const { rows } = await sql<Record<string, number>>`
      select ${sql.join(counts)} from ${sql.table(table)}`.execute(db);
    for (const [column, count] of Object.entries(rows[0] ?? {})) {
      if (count > 0) found[`${table}.${column}`] = count;
    }
  }
  return found;
}
