import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { problems } from '../../platform/http/schemas.ts';
import type { MetricsService } from './metrics.service.ts';

const example = '# TYPE support_assistant_bus_up gauge\nsupport_assistant_bus_up 1\n';

export const metricsRoutes =
  ({ metrics }: { metrics: MetricsService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/metrics',
      {
        // A token of its own is asked for: who scrapes is no user.
        config: { policy: 'public', countedAs: 'unlimited' },
        schema: {
          operationId: 'readMetrics',
          summary: 'Measure the process, for Prometheus',
          description: 'Wants `METRICS_TOKEN` as a bearer token; where none is set, 404.',
          tags: ['operations'],
          response: {
            200: {
              description: 'The text format of Prometheus.',
              content: { 'text/plain': { schema: Type.String({ examples: [example] }) } },
            },
            ...problems(404, 422),
          },
        },
      },
      async (request, reply) => {
        const [, token] = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
        return reply.type(metrics.contentType).send(await metrics.read(token));
      },
    );
    done();
  };
