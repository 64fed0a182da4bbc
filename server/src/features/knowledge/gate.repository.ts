import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';
import type { Calibration, Gate } from './gate.ts';

/** The gate as it was calibrated last, whatever version of the knowledge that saw. */
export async function findGate(db: Kysely<Tables>): Promise<Gate | undefined> {
  const { rows } = await sql<Gate>`
    select intercept, weights from gate_calibrations
    order by knowledge_version desc limit 1`.execute(db);
  return rows[0];
}

/** The newest calibration with its report. */
export async function findCalibration(db: Kysely<Tables>): Promise<Calibration | undefined> {
  const { rows } = await sql<Calibration>`
    select knowledge_version as "knowledgeVersion", samples, weights, intercept, curve
    from gate_calibrations order by knowledge_version desc limit 1`.execute(db);
  return rows[0];
}

/** Keeps a calibration and drops those of older versions. */
export async function saveCalibration(
  db: Kysely<Tables>,
  { knowledgeVersion, samples, weights, intercept, curve }: Calibration,
): Promise<void> {
  await sql`
    insert into gate_calibrations (knowledge_version, samples, weights, intercept, curve)
    values (${knowledgeVersion}, ${samples}, ${JSON.stringify(weights)}, ${intercept},
      ${JSON.stringify(curve)})
    on conflict (knowledge_version) do update set samples = excluded.samples,
      weights = excluded.weights, intercept = excluded.intercept,
      curve = excluded.curve, created_at = now()`.execute(db);
  await sql`delete from gate_calibrations where knowledge_version < ${knowledgeVersion}`.execute(
    db,
  );
}

/** Forgets what was learnt up to a version of the knowledge. */
export const removeCalibrations = (db: Kysely<Tables>, knowledgeVersion: number) =>
  sql`delete from gate_calibrations where knowledge_version <= ${knowledgeVersion}`.execute(db);

/** An article's names, from which a calibration makes questions. */
export type ArticleNames = { articleId: string; title: string; headings: string[] };

/** Published articles with their titles and headings, in an order that only the titles decide. */
export async function listArticleNames(
  db: Kysely<Tables>,
  limit: number,
): Promise<{ articles: ArticleNames[]; total: number }> {
  const { rows } = await sql<ArticleNames & { total: number }>`
    select articles.id as "articleId", published.title, count(*) over () ::int as total,
      array(select distinct heading from article_chunks chunk where chunk.article_id = articles.id
        and chunk.version = published.version and heading <> '' order by heading) as headings
    from articles join article_versions published
      on published.article_id = articles.id and published.version = articles.published_version
    where articles.status = 'published' and articles.audience = 'public'
    order by md5(published.title), articles.id limit ${limit}`.execute(db);
  return { articles: rows, total: rows[0]?.total ?? 0 };
}

/** Counts what changed the published knowledge. */
export async function findVersion(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ version: number }>`
    select version from knowledge_totals`.execute(db);
  return rows[0]?.version ?? 0;
}

/**
 * What changes with everything that a search depends on: the published knowledge and the gate. The
 * transactions that wrote them tell apart what a restored backup would count twice.
 */
export async function findVersions(db: Kysely<Tables>): Promise<string> {
  const { rows } = await sql<{ versions: string }>`
    select concat_ws(' ', version, totals.xmin, (
      select concat_ws(' ', knowledge_version, gate.xmin) from gate_calibrations gate
      order by knowledge_version desc limit 1)) as versions
    from knowledge_totals totals`.execute(db);
  return rows[0]?.versions ?? '';
}
