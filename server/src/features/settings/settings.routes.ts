import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { etagOf, ifMatchOf } from '../../platform/http/preconditions.ts';
import { ifMatchHeaders, problems, ref } from '../../platform/http/schemas.ts';
import {
  exampleSettings,
  presentSettings,
  Settings,
  UpdateSettingsBody,
} from './settings.schemas.ts';
import type { SettingsService } from './settings.service.ts';

export const settingsRoutes =
  ({ settings }: { settings: SettingsService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/settings',
      {
        config: { policy: 'admin' },
        schema: {
          operationId: 'getSettings',
          summary: 'Read the settings',
          tags: ['workspace'],
          response: {
            200: { ...ref(Settings), examples: [exampleSettings] },
            ...problems(403, 422),
          },
        },
      },
      async (_request, reply) => {
        const current = await settings.get();
        reply.header('etag', etagOf(current.version));
        return presentSettings(current);
      },
    );

    app.patch(
      '/settings',
      {
        config: { policy: 'admin' },
        schema: {
          operationId: 'updateSettings',
          summary: 'Change the settings',
          description: 'The next answer heeds them.',
          tags: ['workspace'],
          headers: ifMatchHeaders,
          body: UpdateSettingsBody,
          response: {
            200: { ...ref(Settings), examples: [exampleSettings] },
            ...problems(403, 412, 422),
          },
        },
      },
      async (request, reply) => {
        const changed = await settings.update(request.actor, request.body, ifMatchOf(request));
        reply.header('etag', etagOf(changed.version));
        return presentSettings(changed);
      },
    );
    done();
  };
