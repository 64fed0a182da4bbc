import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { PGlite } from '@electric-sql/pglite';
import { sql, type Kysely } from 'kysely';
import { pino } from 'pino';
import { createDatabases } from '../bench/support/databases.ts';
import { migrations } from '../server/migrations/migrations.ts';
import { loadConfig } from '../server/src/config.ts';
import { createContainer } from '../server/src/container.ts';
import type { Actor } from '../server/src/features/auth/actor.ts';
import type { Retrieval } from '../server/src/features/knowledge/retrieval.ts';
import { createInProcessBus } from '../server/src/platform/bus/bus.ts';
import { systemClock } from '../server/src/platform/clock.ts';
import { connectEmbedded } from '../server/src/platform/database/connect.ts';
import { migrate } from '../server/src/platform/database/migrate.ts';
import type { Jobs } from '../server/src/platform/jobs/jobs.ts';
import type { Audience, Tables } from '../server/src/tables.ts';
import { testDatabaseUrl } from '../server/test/services.ts';

/** An article of a data set; `id` is the set's own. */
export type Document = { id: string; title: string; body: string; audience?: Audience };

/** A knowledge base in a database of its own, filled by the product's own code. */
export type KnowledgeBase = {
  db: Kysely<Tables>;
  retrieve: Retrieval['retrieve'];
  publish(documents: readonly Document[]): Promise<void>;
  /** The data set's id of an article. */
  documentOf(articleId: string): string | undefined;
  /** Runs `work` while the documents are not published. */
  without<Result>(documentIds: readonly string[], work: () => Promise<Result>): Promise<Result>;
  /** Ends what goes on in the background; the database may be closed then. */
  stop(): Promise<void>;
};

const admin: Actor = {
  id: '00000000-0000-7000-8000-000000000000',
  role: 'admin',
  name: 'Evaluation',
  sessionId: '',
};

const config = loadConfig({
  DATA_DIR: tmpdir(),
  SECRET_KEY: randomBytes(48).toString('base64url'),
  AI_ENABLED: 'false',
  // The same question again is measured again.
  SEARCH_CACHE_SECONDS: '0',
});

/** The evaluation calibrates when it wants to. */
const noJobs = { send: () => Promise.resolve() } as unknown as Jobs;

/** Opens an empty base on a server that answers, else in memory. Drops it when `work` has ended. */
export async function withKnowledgeBase<Result>(
  work: (base: KnowledgeBase) => Promise<Result>,
): Promise<Result> {
  const url = await testDatabaseUrl();
  if (url) {
    const databases = createDatabases(url);
    try {
      return await used(knowledgeBaseOn((await databases.create()).db), work);
    } finally {
      await databases.close();
    }
  }
  const { db, close } = connectEmbedded<Tables>(await PGlite.create());
  try {
    await migrate(db, migrations);
    return await used(knowledgeBaseOn(db), work);
  } finally {
    await close();
  }
}

async function used<Result>(
  base: KnowledgeBase,
  work: (base: KnowledgeBase) => Promise<Result>,
): Promise<Result> {
  try {
    return await work(base);
  } finally {
    await base.stop();
  }
}

export function knowledgeBaseOn(db: Kysely<Tables>): KnowledgeBase {
  const logger = pino({ level: 'silent' });
  const { knowledge, relay } = createContainer(config, {
    database: {
      db,
      listenUrl: undefined,
      pglite: undefined,
      ping: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    jobs: noJobs,
    bus: createInProcessBus(),
    redis: undefined,
    secretKeys: config.secretKeys,
    clock: systemClock,
    logger,
  });
  const documents = new Map<string, string>();
  const articles = new Map<string, string>();

  async function setStatus(ids: readonly string[], status: 'archived' | 'published') {
    for (const id of ids) {
      await knowledge.update(admin, articles.get(id) ?? '', { status }, undefined);
    }
  }

  return {
    db,
    stop: relay.stop,
    retrieve: knowledge.retrieve,
    async publish(batch) {
      for (const { id, ...article } of batch) {
        const { id: articleId } = await knowledge.create(admin, {
          ...article,
          status: 'published',
        });
        documents.set(articleId, id);
        articles.set(id, articleId);
      }
      await sql`analyze`.execute(db);
    },
    documentOf: (articleId) => documents.get(articleId),
    async without(documentIds, work) {
      await setStatus(documentIds, 'archived');
      try {
        return await work();
      } finally {
        await setStatus(documentIds, 'published');
      }
    },
  };
}
