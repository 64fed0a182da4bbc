import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { etagOf, idempotencyOf, markReplayed } from '../../platform/http/preconditions.ts';
import {
  closed,
  idempotencyHeaders,
  IdParams,
  problems,
  ref,
} from '../../platform/http/schemas.ts';
import {
  DraftFromGapBody,
  exampleGap,
  GapsQuery,
  KnowledgeGap,
  presentGap,
} from './gaps.schemas.ts';
import type { GapsService } from './gaps.service.ts';
import { Article, exampleArticle, presentArticle } from './knowledge.schemas.ts';

export const gapsRoutes =
  ({ gaps }: { gaps: GapsService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/knowledge/gaps',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'listKnowledgeGaps',
          summary: 'List what the articles do not answer',
          description: 'Questions that ask the same are one gap; most asked first.',
          tags: ['knowledge'],
          querystring: GapsQuery,
          response: {
            200: {
              ...Type.Object({ data: Type.Array(ref(KnowledgeGap)) }, closed),
              examples: [{ data: [exampleGap] }],
            },
            ...problems(403, 422),
          },
        },
      },
      async (request) => ({ data: (await gaps.list(request.query.limit ?? 25)).map(presentGap) }),
    );

    app.post(
      '/knowledge/gaps/:id/article',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'draftArticleFromGap',
          summary: 'Draft an article from a reply',
          description:
            "An agent's reply becomes a draft, and the gap is closed. An admin reads and publishes it.",
          tags: ['knowledge'],
          params: IdParams,
          headers: idempotencyHeaders,
          body: DraftFromGapBody,
          response: {
            201: { ...ref(Article), examples: [{ ...exampleArticle, status: 'draft' }] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params, body } = request;
        const drafted = await gaps.draftArticle(actor, params.id, body, idempotencyOf(request));
        const { article } = drafted;
        markReplayed(reply, drafted);
        reply
          .code(201)
          .header('location', `/api/v1/articles/${article.id}`)
          .header('etag', etagOf(article.version));
        return presentArticle(article);
      },
    );
    done();
  };
