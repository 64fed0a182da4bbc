import { randomUUIDv7 } from 'node:crypto';
import { sql, type Kysely, type Selectable, type Transaction } from 'kysely';
import type { KnowledgeGapsTable, Tables } from '../../tables.ts';
import type { Language } from '../settings/settings.defaults.ts';

/** A question without an answer, with the stems of its words. */
export type Gap = Pick<
  Selectable<KnowledgeGapsTable>,
  'id' | 'ticket_id' | 'question' | 'created_at'
> & { lexemes: string[] };

export const insert = (
  db: Transaction<Tables>,
  gap: { answerId: string; ticketId: string; question: string },
) =>
  db
    .insertInto('knowledge_gaps')
    .values({
      id: randomUUIDv7(),
      answer_id: gap.answerId,
      ticket_id: gap.ticketId,
      question: gap.question,
    })
    .onConflict((conflict) => conflict.column('answer_id').doNothing())
    .execute();

/** The newest questions that no article has been drafted for. */
export async function listOpen(
  db: Kysely<Tables>,
  language: Language,
  limit: number,
): Promise<Gap[]> {
  const { rows } = await sql<Gap>`
    select id, ticket_id, question, created_at,
      tsvector_to_array(to_tsvector(${sql.lit(language)}::regconfig, question)) as lexemes
    from knowledge_gaps where article_id is null
    order by created_at desc, id desc limit ${limit}`.execute(db);
  return rows;
}

/** Links gaps to the article that closes them. */
export const close = (db: Transaction<Tables>, ids: string[], articleId: string) =>
  db
    .updateTable('knowledge_gaps')
    .set({ article_id: articleId })
    .where(sql<boolean>`id = any(${ids})`)
    .execute();

/** What an agent said publicly on the ticket of a gap. */
export const findReply = (db: Kysely<Tables>, ticketId: string, messageId: string) =>
  db
    .selectFrom('messages')
    .select('content')
    .where('id', '=', messageId)
    .where('ticket_id', '=', ticketId)
    .where('author_type', '=', 'agent')
    .where('visibility', '=', 'public')
    .executeTakeFirst();
