import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { problems, ref } from '../../platform/http/schemas.ts';
import { exampleGate, KnowledgeGate, presentGate } from './gate.schemas.ts';
import type { GateService } from './gate.service.ts';

export const gateRoutes =
  ({ gate }: { gate: GateService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/knowledge/gate',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'getKnowledgeGate',
          summary: 'Read how the gate is calibrated',
          description:
            'The gate estimates whether a passage answers a question. It learns anew after articles were published.',
          tags: ['knowledge'],
          response: {
            200: { ...ref(KnowledgeGate), examples: [exampleGate] },
            ...problems(403, 422),
          },
        },
      },
      async () => presentGate(await gate.report()),
    );
    done();
  };
