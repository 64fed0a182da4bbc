import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { idempotencyOf, markReplayed } from '../../platform/http/preconditions.ts';
import { idempotencyHeaders, IdParams, problems, ref } from '../../platform/http/schemas.ts';
import {
  ArticleImport,
  articlesMax,
  exampleImport,
  ImportArticlesBody,
  presentImport,
  readItems,
} from './imports.schemas.ts';
import type { ImportsService } from './imports.service.ts';

const bodyBytesMax = 20 * 1024 * 1024;

export const importsRoutes =
  ({ imports }: { imports: ImportsService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.post(
      '/articles/import',
      {
        bodyLimit: bodyBytesMax,
        config: { policy: 'admin', countedAs: 'search', jsonValuesMax: 4 * articlesMax },
        schema: {
          operationId: 'importArticles',
          summary: 'Import many articles',
          description:
            'Markdown files with YAML front matter: `title`, and optionally `tags`, `audience`, `status`, `slug`. Up to 20 MiB. The work goes on in the background.',
          tags: ['knowledge'],
          headers: idempotencyHeaders,
          body: ImportArticlesBody,
          response: {
            202: { ...ref(ArticleImport), examples: [{ ...exampleImport, done: 0, skipped: 0 }] },
            ...problems(403, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const items = await readItems(request.body.articles);
        const result = await imports.create(request.actor, items, idempotencyOf(request));
        const { created } = result;
        markReplayed(reply, result);
        reply.code(202).header('location', `/api/v1/articles/imports/${created.id}`);
        return presentImport(created);
      },
    );

    app.get(
      '/articles/imports/:id',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'getArticleImport',
          summary: 'See how far an import is',
          tags: ['knowledge'],
          params: IdParams,
          response: {
            200: { ...ref(ArticleImport), examples: [exampleImport] },
            ...problems(403, 404, 422),
          },
        },
      },
      async (request) => presentImport(await imports.get(request.actor, request.params.id)),
    );
    done();
  };
