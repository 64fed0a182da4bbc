import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import type {
  ArticleImportsTable,
  ImportedArticle,
  ImportItemState,
  Tables,
} from '../../tables.ts';

export type ImportRow = Selectable<ArticleImportsTable>;

/** A file of an import: an article, or the reason why it is none. */
export type ImportItem = { path: string } & ({ article: ImportedArticle } | { message: string });

export type WaitingItem = { import_id: string; ordinal: number; article: ImportedArticle };

export const insert = (
  db: Transaction<Tables>,
  { id, createdBy, total }: { id: string; createdBy: string; total: number },
) =>
  db
    .insertInto('article_imports')
    .values({ id, created_by: createdBy, total, ended_at: null })
    .execute();

export const insertItems = (
  db: Transaction<Tables>,
  importId: string,
  items: readonly ImportItem[],
  firstOrdinal: number,
) =>
  db
    .insertInto('article_import_items')
    .values(
      items.map((item, at) => ({
        import_id: importId,
        ordinal: firstOrdinal + at,
        path: item.path,
        ...('article' in item
          ? { state: 'waiting' as const, article: JSON.stringify(item.article), message: null }
          : { state: 'failed' as const, article: null, message: item.message }),
      })),
    )
    .execute();

export const find = (db: Kysely<Tables>, id: string): Promise<ImportRow | undefined> =>
  db.selectFrom('article_imports').selectAll().where('id', '=', id).executeTakeFirst();

/** How many items are in each state. */
export async function countItems(
  db: Kysely<Tables>,
  importId: string,
): Promise<Partial<Record<ImportItemState, number>>> {
  const rows = await db
    .selectFrom('article_import_items')
    .select(['state', sql<number>`count(*)::int`.as('count')])
    .where('import_id', '=', importId)
    .groupBy('state')
    .execute();
  return Object.fromEntries(rows.map(({ state, count }) => [state, count]));
}

export const listFailures = (
  db: Kysely<Tables>,
  importId: string,
  limit: number,
): Promise<{ path: string; message: string }[]> =>
  db
    .selectFrom('article_import_items')
    .select(['path', sql<string>`coalesce(message, '')`.as('message')])
    .where('import_id', '=', importId)
    .where('state', '=', 'failed')
    .orderBy('ordinal')
    .limit(limit)
    .execute();

/** The waiting item that comes behind `ordinal`. */
export const findNext = (
  db: Kysely<Tables>,
  importId: string,
  ordinal: number,
): Promise<WaitingItem | undefined> =>
  db
    .selectFrom('article_import_items')
    .select(['import_id', 'ordinal', 'article'])
    .where('import_id', '=', importId)
    .where('state', '=', 'waiting')
    .where('ordinal', '>', ordinal)
    .orderBy('ordinal')
    .limit(1)
    .$narrowType<{ article: ImportedArticle }>()
    .executeTakeFirst();

/** Takes an item for this transaction; false when another process has finished it. */
export async function lockWaiting(
  db: Transaction<Tables>,
  { import_id: importId, ordinal }: WaitingItem,
): Promise<boolean> {
  const item = await db
    .selectFrom('article_import_items')
    .select('ordinal')
    .where('import_id', '=', importId)
    .where('ordinal', '=', ordinal)
    .where('state', '=', 'waiting')
    .forUpdate()
    .executeTakeFirst();
  return item !== undefined;
}

export const finishItem = (
  db: Kysely<Tables>,
  { import_id: importId, ordinal }: WaitingItem,
  state: Exclude<ImportItemState, 'waiting'>,
  message: string | null = null,
) =>
  db
    .updateTable('article_import_items')
    .set({ state, message, article: null })
    .where('import_id', '=', importId)
    .where('ordinal', '=', ordinal)
    .where('state', '=', 'waiting')
    .execute();

export const end = (db: Kysely<Tables>, id: string) =>
  db
    .updateTable('article_imports')
    .set({ ended_at: sql<Date>`now()` })
    .where('id', '=', id)
    .where('ended_at', 'is', null)
    .execute();

/** Ends the imports that began longer ago; what waits there has failed. */
export async function giveUp(
  db: Transaction<Tables>,
  afterHours: number,
  message: string,
): Promise<void> {
  const { rows } = await sql<{ id: string }>`
    update article_imports set ended_at = now()
    where ended_at is null and created_at < now() - make_interval(hours => ${sql.lit(afterHours)})
    returning id`.execute(db);
  await sql`
    update article_import_items set state = 'failed', message = ${message}, article = null
    where state = 'waiting' and import_id = any(${rows.map(({ id }) => id)}::uuid[])`.execute(db);
}

export const removeEnded = (db: Kysely<Tables>, afterDays: number) =>
  db
    .deleteFrom('article_imports')
    .where('ended_at', '<', sql<Date>`now() - make_interval(days => ${sql.lit(afterDays)})`)
    .execute();
