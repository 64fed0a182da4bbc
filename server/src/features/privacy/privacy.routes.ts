import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { IdParams, problems } from '../../platform/http/schemas.ts';
import type { ExportService } from './export.service.ts';
import { exampleExport, StreamedExport } from './privacy.schemas.ts';

const ok = { ...StreamedExport, examples: [exampleExport] };

/** What is kept of a person, as one document. */
export const privacyRoutes =
  ({ exporting }: { exporting: ExportService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/me/export',
      {
        config: { policy: 'signed-in', countedAs: 'search' },
        schema: {
          operationId: 'exportMe',
          summary: 'Export what is kept of me',
          description: 'One JSON document, without notes between members of the team.',
          tags: ['me'],
          response: { 200: ok, ...problems(403, 422) },
        },
      },
      async ({ actor }, reply) => {
        const pieces = await exporting.export(actor, actor.id);
        return fileOf(reply, actor.id, pieces);
      },
    );

    app.get(
      '/users/:id/export',
      {
        // It has more in it than any scope lets a key read.
        config: { policy: 'admin', countedAs: 'search', scope: null },
        schema: {
          operationId: 'exportUser',
          summary: 'Export what is kept of a user',
          description:
            'One JSON document, with the notes between members of the team on the tickets of the ' +
            'user: look through them before you pass it on.',
          tags: ['users'],
          params: IdParams,
          response: { 200: ok, ...problems(403, 404, 422) },
        },
      },
      async ({ actor, params }, reply) => {
        const pieces = await exporting.export(actor, params.id);
        return fileOf(reply, params.id, pieces);
      },
    );
    done();
  };

/** Sent at the pace at which it is taken. */
function fileOf(reply: FastifyReply, userId: string, pieces: AsyncIterable<string>): Readable {
  void reply
    .type('application/json; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename="export-${userId}.json"`);
  return Readable.from(pieces, { objectMode: false });
}
