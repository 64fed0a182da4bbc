import type { Kysely } from 'kysely';
import { notFound } from '../../errors.ts';
import { once, type Idempotency } from '../../platform/database/idempotency.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import type { Language } from '../settings/settings.defaults.ts';
import type { SettingsService } from '../settings/settings.service.ts';
import { clusterQuestions } from './gap-clusters.ts';
import * as repository from './gaps.repository.ts';
import type { Gap } from './gaps.repository.ts';
import type { ArticleRow } from './knowledge.repository.ts';
import type { KnowledgeService } from './knowledge.service.ts';

/** Questions of the same kind that the articles did not answer; the newest stands for them. */
export type GapCluster = {
  id: string;
  question: string;
  count: number;
  examples: Gap[];
  firstAt: Date;
  lastAt: Date;
};

/** Newest questions that are clustered: old ones have been answered in some way by now. */
const questionsMax = 1_000;
const examplesMax = 5;
const titleLengthMax = 200;

export type GapsService = ReturnType<typeof createGapsService>;

/** What customers ask and the articles do not answer, and the way from there to an article. */
export function createGapsService(dependencies: {
  db: Kysely<Tables>;
  knowledge: KnowledgeService;
  settings: SettingsService;
}) {
  const { db, knowledge, settings } = dependencies;

  return {
    record: repository.insert,

    /** Most asked first. */
    async list(limit: number): Promise<GapCluster[]> {
      const { language } = await settings.get();
      const clusters = await openClusters(db, language);
      return clusters
        .map(clusterOf)
        .sort((one, other) => other.count - one.count || +other.lastAt - +one.lastAt)
        .slice(0, limit);
    },

    /** Drafts an article from what an agent replied to such a question, and closes its cluster. */
    async draftArticle(
      actor: Actor,
      id: string,
      input: { message_id: string; title?: string },
      idempotency: Idempotency | undefined,
    ): Promise<{ article: ArticleRow; replayed: boolean }> {
      const { language } = await settings.get();
      const { body, replayed } = await transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          const clusters = await openClusters(db, language);
          const cluster = clusters.find((gaps) => gaps.some((gap) => gap.id === id));
          const gap = cluster?.find((one) => one.id === id);
          if (!cluster || !gap) throw notFound();
          const reply = await findReply(db, cluster, input.message_id);
          const title = input.title ?? titleOf(gap.question);
          const article = await knowledge.draft(db, actor, { title, body: reply });
          const closed = cluster.map((one) => one.id);
          await repository.close(db, closed, article.id);
          return { articleId: article.id };
        }),
      );
      return { article: await knowledge.get(actor, body.articleId), replayed };
    },
  };
}

async function openClusters(db: Kysely<Tables>, language: Language): Promise<Gap[][]> {
  return clusterQuestions(await repository.listOpen(db, language, questionsMax));
}

async function findReply(db: Kysely<Tables>, cluster: Gap[], messageId: string): Promise<string> {
  for (const { ticket_id: ticketId } of cluster) {
    const reply = await repository.findReply(db, ticketId, messageId);
    if (reply) return reply.content;
  }
  throw notFound();
}

function clusterOf(gaps: Gap[]): GapCluster {
  const [newest] = gaps;
  const oldest = gaps.at(-1);
  if (!newest || !oldest) throw new Error('a cluster has at least its founder');
  return {
    id: newest.id,
    question: newest.question,
    count: gaps.length,
    examples: gaps.slice(0, examplesMax),
    firstAt: oldest.created_at,
    lastAt: newest.created_at,
  };
}

const titleOf = (question: string): string =>
  question.replaceAll(/\s+/g, ' ').slice(0, titleLengthMax).toWellFormed().trim().padEnd(3, '?');
