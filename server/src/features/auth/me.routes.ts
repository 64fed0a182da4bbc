import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { etagOf, ifMatchOf } from '../../platform/http/preconditions.ts';
import { IdParams, ifMatchHeaders, pageOf, problems, ref } from '../../platform/http/schemas.ts';
import { exampleUser, presentUser, User } from '../users/users.schemas.ts';
import {
  ChangePasswordBody,
  exampleSession,
  ListSessionsQuery,
  presentSession,
  Session,
  UpdateMeBody,
} from './auth.schemas.ts';
import type { AuthService } from './auth.service.ts';

const tags = ['me'];
const config = { policy: 'signed-in' } as const;

/** What everybody may do with their own account. */
export const meRoutes =
  ({ auth }: { auth: AuthService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/me',
      {
        config,
        schema: {
          operationId: 'getMe',
          summary: 'Who am I?',
          tags,
          response: { 200: { ...ref(User), examples: [exampleUser] }, ...problems(403, 422) },
        },
      },
      async ({ actor }, reply) => {
        const user = await auth.me(actor);
        return reply.header('etag', etagOf(user.version)).send(presentUser(user));
      },
    );

    app.patch(
      '/me',
      {
        config,
        schema: {
          operationId: 'updateMe',
          summary: 'Change my name',
          tags,
          headers: ifMatchHeaders,
          body: UpdateMeBody,
          response: {
            200: { ...ref(User), examples: [{ ...exampleUser, name: 'Robin de Vos' }] },
            ...problems(403, 412, 422),
          },
        },
      },
      async (request, reply) => {
        const user = await auth.updateMe(request.actor, request.body, ifMatchOf(request));
        return reply.header('etag', etagOf(user.version)).send(presentUser(user));
      },
    );

    app.delete(
      '/me',
      {
        config,
        schema: {
          operationId: 'deleteMe',
          summary: 'Delete my account',
          description:
            'Forgets name, e-mail and password, and ends all sessions, at once. What stands on my ' +
            'tickets is erased within minutes: the tickets stay, closed and without content, as ' +
            'those of a deleted user. There is no way back. The last admin cannot go.',
          tags,
          response: { 204: Type.Null({ description: 'Deleted.' }), ...problems(403, 409, 422) },
        },
      },
      async (request, reply) => {
        await auth.deleteMe(request.actor);
        return reply.code(204).send(null);
      },
    );

    app.put(
      '/me/password',
      {
        config,
        schema: {
          operationId: 'changePassword',
          summary: 'Change my password',
          description: 'Ends all other sessions.',
          tags,
          body: ChangePasswordBody,
          response: { 204: Type.Null({ description: 'Changed.' }), ...problems(403, 422) },
        },
      },
      async ({ actor, body }, reply) => {
        const { current_password: current, new_password: next } = body;
        await auth.changePassword(actor, { current, next });
        return reply.code(204).send(null);
      },
    );

    app.get(
      '/me/sessions',
      {
        config,
        schema: {
          operationId: 'listMySessions',
          summary: 'List where I am signed in',
          tags,
          querystring: ListSessionsQuery,
          response: {
            200: {
              ...pageOf(ref(Session)),
              examples: [{ data: [exampleSession], next_cursor: null }],
            },
            ...problems(403, 422),
          },
        },
      },
      async ({ actor, query }) => {
        const { limit = 25, cursor } = query;
        const page = await auth.listSessions(actor, { limit, cursor });
        return { ...page, data: page.data.map((session) => presentSession(actor, session)) };
      },
    );

    app.delete(
      '/me/sessions/:id',
      {
        config,
        schema: {
          operationId: 'endMySession',
          summary: 'Sign out elsewhere',
          tags,
          params: IdParams,
          response: {
            204: Type.Null({ description: 'Signed out there.' }),
            ...problems(403, 404, 422),
          },
        },
      },
      async ({ actor, params }, reply) => {
        await auth.revokeSession(actor, params.id);
        return reply.code(204).send(null);
      },
    );
    done();
  };
