import type { PGlite } from '@electric-sql/pglite';
import type pg from 'pg';

/** A table by its schema and name, as SQL writes it, with the types of its columns. */
export type Table = { name: string; columns: { name: string; type: string }[] };

export type Moved = { table: string; rows: number };

/** What both sides must say of a table when it was moved whole. */
type Fingerprint = { rows: number; sum: string };

export type Query = (text: string, values?: unknown[]) => Promise<{ rows: unknown[] }>;

/** Rows that are on their way at once: an article may have a megabyte. */
const batchRows = 200;

/**
 * Copies the tables and the state of their sequences, in the transaction of the target. Each of them
 * must stand behind those that it refers to. What `seeded` names has rows from the migrations, which
 * are replaced. The source is only read. Throws when what arrived is not what was sent: roll back then.
 */
export async function moveTables(
  source: PGlite,
  target: pg.Client,
  { tables, seeded, onMoved }: MoveOptions,
): Promise<void> {
  const to: Query = (text, values) => target.query({ text, values, rowMode: 'array' });
  // Its own transaction, so that nothing else of this process comes in between.
  await source.transaction(async (transaction) => {
    const from: Query = (text) => transaction.query(text, [], { rowMode: 'array' });
    for (const query of [from, to]) await query(`set local timezone to 'UTC'`);
    for (const name of seeded) await to(`delete from ${name}`);
    for (const table of tables) {
      await copy(from, to, table);
      const sent = await fingerprint(from, table);
      const arrived = await fingerprint(to, table);
      if (sent.rows !== arrived.rows || sent.sum !== arrived.sum) {
        throw new Error(`What arrived in ${table.name} is not what was sent.`);
      }
      onMoved({ table: table.name, rows: sent.rows });
    }
    await moveSequences(from, to);
  });
}

export type MoveOptions = {
  tables: readonly Table[];
  seeded: readonly string[];
  onMoved(moved: Moved): void;
};

/** As text, which every type can be written as and read from without loss. */
async function copy(from: Query, to: Query, { name, columns }: Table): Promise<void> {
  const names = columns.map((column) => column.name).join(', ');
  const values = columns.map((column) => `${column.name}::${column.type}`).join(', ');
  const lists = columns.map((_column, index) => `$${index + 1}::text[]`).join(', ');
  const insert = `insert into ${name} (${names}) overriding system value
    select ${values} from unnest(${lists}) as sent (${names})`;
  const texts = columns.map((column) => `${column.name}::text`).join(', ');
  await from(`declare sent no scroll cursor for select ${texts} from ${name}`);
  for (;;) {
    const { rows } = (await from(`fetch ${batchRows} from sent`)) as { rows: unknown[][] };
    if (rows.length === 0) break;
    const byColumn = columns.map((_column, index) => rows.map((row) => row[index]));
    await to(insert, byColumn);
  }
  await from('close sent');
}

/** The sum of a hash of each row: the same in whatever order the rows are read. */
async function fingerprint(query: Query, { name, columns }: Table): Promise<Fingerprint> {
  const names = columns.map((column) => column.name).join(', ');
  const { rows } = await query(`
    select count(*)::int, coalesce(sum(('x' || left(md5(row(${names})::text), 16))::bit(64)::bigint), 0)::text
    from ${name}`);
  const [count, sum] = rows[0] as [number, string];
  return { rows: count, sum };
}

async function moveSequences(from: Query, to: Query): Promise<void> {
  const { rows } = await from(`
    select format('%I.%I', schemaname, sequencename) from pg_sequences where schemaname = 'public'`);
  for (const [name] of rows as [string][]) {
    const { rows: states } = await from(`select last_value::text, is_called from ${name}`);
    const [value, isCalled] = states[0] as [string, boolean];
    await to('select setval($1, $2::bigint, $3)', [name, value, isCalled]);
  }
}

/** The tables that have this condition, each behind those that it refers to. */
export async function listTables(query: Query, condition: string): Promise<Table[]> {
  const { rows } = await query(`
    select format('%I.%I', n.nspname, c.relname) as name,
      (select json_agg(json_build_object('name', quote_ident(a.attname),
          'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
      array(select format('%I.%I', n2.nspname, c2.relname)
        from pg_constraint k join pg_class c2 on c2.oid = k.confrelid
          join pg_namespace n2 on n2.oid = c2.relnamespace
        where k.conrelid = c.oid and k.contype = 'f' and k.confrelid <> c.oid) as needs
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and not c.relispartition and (${condition})
    order by 1`);
  return inOrder(rows as (Table & { needs: string[] })[]);
}

function inOrder(tables: (Table & { needs: string[] })[]): Table[] {
  const waiting = new Map(tables.map((table) => [table.name, table]));
  const ordered: Table[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(
      ({ needs }) => !needs.some((name) => waiting.has(name)),
    );
    if (ready.length === 0)
      throw new Error(`Tables refer to each other: ${[...waiting.keys()].join(', ')}`);
    for (const { name, columns } of ready) {
      waiting.delete(name);
      ordered.push({ name, columns });
    }
  }
  return ordered;
}
