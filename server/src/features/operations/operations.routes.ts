import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { closed, oneOf, problems } from '../../platform/http/schemas.ts';
import type { OperationsService } from './operations.service.ts';

const states = ['ok', 'degraded', 'down'] as const;

const Ready = Type.Object(
  {
    status: oneOf(states),
    checks: Type.Record(
      Type.String(),
      Type.Object({ status: oneOf(states), detail: Type.Optional(Type.String()) }, closed),
    ),
  },
  { ...closed, description: 'Names the part that fails, never a secret.' },
);

const Alive = Type.Object(
  { status: Type.Literal('ok') },
  { ...closed, examples: [{ status: 'ok' }] },
);

const exampleReady = { status: 'ok', checks: { database: { status: 'ok' } } };

/** Health, at the root for orchestrators and under the API for everybody else. */
export const operationsRoutes =
  ({ operations }: { operations: OperationsService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const alive = (url: string, operationId: string, summary: string) =>
      app.get(
        url,
        {
          config: { policy: 'public', countedAs: 'unlimited' },
          schema: {
            operationId,
            summary,
            tags: ['operations'],
            response: { 200: Alive, ...problems(422) },
          },
        },
        () => ({ status: 'ok' as const }),
      );
    alive('/health/live', 'live', 'Is the process alive?');
    alive('/health-check', 'healthCheckAtRoot', 'Is the service up?');
    alive('/api/v1/health-check', 'healthCheck', 'Is the service up?');

    app.get(
      '/health/ready',
      {
        config: { policy: 'public', countedAs: 'unlimited' },
        schema: {
          operationId: 'ready',
          summary: 'May traffic come?',
          tags: ['operations'],
          response: {
            200: { ...Ready, examples: [exampleReady] },
            503: {
              ...Ready,
              examples: [{ status: 'down', checks: { database: { status: 'down' } } }],
            },
            ...problems(422),
          },
        },
      },
      async (_request, reply) => {
        const readiness = await operations.check();
        if (readiness.status === 'down') reply.code(503).header('retry-after', '5');
        return readiness;
      },
    );
    done();
  };
