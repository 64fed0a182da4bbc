import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import {
  etagOf,
  idempotencyOf,
  ifMatchOf,
  markReplayed,
} from '../../platform/http/preconditions.ts';
import {
  closed,
  idempotencyHeaders,
  IdParams,
  ifMatchHeaders,
  pageOf,
  problems,
  ref,
} from '../../platform/http/schemas.ts';
import {
  Article,
  ArticleVersion,
  CreateArticleBody,
  exampleArticle,
  exampleResult,
  exampleVersion,
  ListArticlesQuery,
  presentArticle,
  presentPassage,
  presentVersion,
  SearchQuery,
  SearchResult,
  UpdateArticleBody,
  VersionParams,
} from './knowledge.schemas.ts';
import type { KnowledgeService } from './knowledge.service.ts';

export const knowledgeRoutes =
  ({ knowledge }: { knowledge: KnowledgeService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/articles',
      {
        config: { policy: 'anyone' },
        schema: {
          operationId: 'listArticles',
          summary: 'List articles',
          description: 'Published public ones for everybody; staff see all.',
          tags: ['knowledge'],
          querystring: ListArticlesQuery,
          response: {
            200: {
              ...pageOf(ref(Article)),
              examples: [{ data: [exampleArticle], next_cursor: null }],
            },
            ...problems(403, 422),
          },
        },
      },
      async (request) => {
        const { limit = 25, cursor, status } = request.query;
        const page = await knowledge.list(request.actor, { limit, cursor, status });
        return { ...page, data: page.data.map(presentArticle) };
      },
    );

    app.get(
      '/articles/search',
      {
        config: { policy: 'anyone', countedAs: 'search' },
        schema: {
          operationId: 'searchArticles',
          summary: 'Search the published articles',
          description: 'By BM25 over passages, best first.',
          tags: ['knowledge'],
          querystring: SearchQuery,
          response: {
            200: {
              ...Type.Object({ data: Type.Array(ref(SearchResult)) }, closed),
              examples: [{ data: [exampleResult] }],
            },
            ...problems(403, 422),
          },
        },
      },
      async (request) => {
        const { q, limit = 5 } = request.query;
        return { data: (await knowledge.search(request.actor, q, limit)).map(presentPassage) };
      },
    );

    app.post(
      '/articles',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'createArticle',
          summary: 'Write an article',
          tags: ['knowledge'],
          headers: idempotencyHeaders,
          body: CreateArticleBody,
          response: {
            201: { ...ref(Article), examples: [exampleArticle] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, body } = request;
        const created = await knowledge.createOnce(actor, body, idempotencyOf(request));
        const { article } = created;
        markReplayed(reply, created);
        reply
          .code(201)
          .header('location', `/api/v1/articles/${article.id}`)
          .header('etag', etagOf(article.version));
        return presentArticle(article);
      },
    );

    app.get(
      '/articles/:id',
      {
        config: { policy: 'anyone' },
        schema: {
          operationId: 'getArticle',
          summary: 'Read an article',
          tags: ['knowledge'],
          params: IdParams,
          response: {
            200: { ...ref(Article), examples: [exampleArticle] },
            ...problems(403, 404, 422),
          },
        },
      },
      async (request, reply) => {
        const article = await knowledge.get(request.actor, request.params.id);
        reply.header('etag', etagOf(article.version));
        return presentArticle(article);
      },
    );

    app.get(
      '/articles/:id/versions/:version',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'getArticleVersion',
          summary: 'Read what an answer was made from',
          description: 'A version that was published, as it was then.',
          tags: ['knowledge'],
          params: VersionParams,
          response: {
            200: { ...ref(ArticleVersion), examples: [exampleVersion] },
            ...problems(403, 404, 422),
          },
        },
      },
      async (request) => {
        const { id, version } = request.params;
        return presentVersion(await knowledge.getVersion(request.actor, id, version));
      },
    );

    app.patch(
      '/articles/:id',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'updateArticle',
          summary: 'Change an article',
          tags: ['knowledge'],
          params: IdParams,
          headers: ifMatchHeaders,
          body: UpdateArticleBody,
          response: {
            200: { ...ref(Article), examples: [{ ...exampleArticle, status: 'archived' }] },
            ...problems(403, 404, 412, 422),
          },
        },
      },
      async (request, reply) => {
        const article = await knowledge.update(
          request.actor,
          request.params.id,
          request.body,
          ifMatchOf(request),
        );
        reply.header('etag', etagOf(article.version));
        return presentArticle(article);
      },
    );

    app.delete(
      '/articles/:id',
      {
        config: { policy: 'admin' },
        schema: {
          operationId: 'deleteArticle',
          summary: 'Delete an article',
          tags: ['knowledge'],
          params: IdParams,
          headers: ifMatchHeaders,
          response: {
            204: { description: 'Deleted.', type: 'null' },
            ...problems(403, 404, 412, 422),
          },
        },
      },
      async (request, reply) => {
        await knowledge.remove(request.actor, request.params.id, ifMatchOf(request));
        return reply.code(204).send(null);
      },
    );
    done();
  };
