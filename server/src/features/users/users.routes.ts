import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import {
  etagOf,
  idempotencyOf,
  ifMatchOf,
  markReplayed,
} from '../../platform/http/preconditions.ts';
import {
  EmptyBody,
  idempotencyHeaders,
  IdParams,
  ifMatchHeaders,
  pageOf,
  problems,
  ref,
} from '../../platform/http/schemas.ts';
import {
  Accepted,
  accepted,
  CreateUserBody,
  exampleUser,
  ListedUser,
  ListUsersQuery,
  presentListedUser,
  presentUser,
  UpdateUserBody,
  User,
} from './users.schemas.ts';
import type { UsersService } from './users.service.ts';

const tags = ['users'];
const exampleAgent = {
  ...exampleUser,
  email: 'grace@example.com',
  name: 'Grace Hopper',
  role: 'agent',
};

/** The people of the workspace, for admins. Registered under the API's prefix. */
export const usersRoutes =
  ({ users }: { users: UsersService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.get(
      '/users',
      {
        config: { policy: 'staff' },
        schema: {
          operationId: 'listUsers',
          summary: 'List users',
          description:
            'Newest first. Agents see customers who are not disabled, with id, name and e-mail; ' +
            'to ask for others is 403.',
          tags,
          querystring: ListUsersQuery,
          response: {
            200: {
              ...pageOf(ListedUser),
              examples: [{ data: [exampleAgent, exampleUser], next_cursor: null }],
            },
            ...problems(403, 422),
          },
        },
      },
      async ({ actor, query }) => {
        const { role: roles, disabled, q: text, limit = 25, cursor } = query;
        const page = await users.list(actor, { filter: { roles, disabled, text }, limit, cursor });
        return { ...page, data: page.data.map((user) => presentListedUser(actor, user)) };
      },
    );

    app.post(
      '/users',
      {
        config: { policy: 'admin' },
        schema: {
          operationId: 'createUser',
          summary: 'Make an account for somebody',
          description:
            'Without `password` the person is sent a link to choose one; that takes a server that ' +
            'sends mail.',
          tags,
          headers: idempotencyHeaders,
          body: CreateUserBody,
          response: { 201: { ...ref(User), examples: [exampleAgent] }, ...problems(403, 409, 422) },
        },
      },
      async (request, reply) => {
        const { actor, body } = request;
        // A fast hash of a password must not lie in the database.
        const compared = { ...body, password: undefined };
        const created = await users.create(actor, body, idempotencyOf(request, compared));
        const { user } = created;
        markReplayed(reply, created);
        return reply
          .code(201)
          .header('location', `${app.prefix}/users/${user.id}`)
          .header('etag', etagOf(user.version))
          .send(presentUser(user));
      },
    );

    app.get(
      '/users/:id',
      {
        config: { policy: 'admin' },
        schema: {
          operationId: 'getUser',
          summary: 'Get a user',
          tags,
          params: IdParams,
          response: { 200: { ...ref(User), examples: [exampleUser] }, ...problems(403, 404, 422) },
        },
      },
      async ({ actor, params }, reply) => {
        const user = await users.get(actor, params.id);
        return reply.header('etag', etagOf(user.version)).send(presentUser(user));
      },
    );

    app.patch(
      '/users/:id',
      {
        config: { policy: 'admin' },
        schema: {
          operationId: 'updateUser',
          summary: 'Change a user',
          description:
            'Takes effect within a second, also for those who are signed in. The last admin who ' +
            'can sign in can be neither demoted nor disabled.',
          tags,
          params: IdParams,
          headers: ifMatchHeaders,
          body: UpdateUserBody,
          response: {
            200: { ...ref(User), examples: [{ ...exampleAgent, role: 'admin', version: 2 }] },
            ...problems(403, 404, 409, 412, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params, body } = request;
        const user = await users.update(actor, params.id, body, ifMatchOf(request));
        return reply.header('etag', etagOf(user.version)).send(presentUser(user));
      },
    );

    app.post(
      '/users/:id/invitation',
      {
        config: { policy: 'admin' },
        schema: {
          operationId: 'inviteUser',
          summary: 'Send a new invitation',
          description:
            'To somebody who has no password yet, else 409. The links of earlier ones work no ' +
            'more. 409 `mail-off` when the server sends no mail.',
          tags,
          params: IdParams,
          headers: idempotencyHeaders,
          body: EmptyBody,
          response: {
            202: { ...ref(Accepted), examples: [accepted] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params } = request;
        markReplayed(reply, await users.invite(actor, params.id, idempotencyOf(request)));
        return reply.code(202).send(accepted);
      },
    );

    app.post(
      '/users/:id/erase',
      {
        config: { policy: 'admin', scope: null },
        schema: {
          operationId: 'eraseUser',
          summary: 'Erase a user',
          description:
            'Ends the account and forgets name, e-mail and password at once. What stands on the ' +
            "user's tickets is erased within minutes; then `user.erased` happens. The tickets stay, " +
            'closed and without content, as those of a deleted user. There is no way back. The last ' +
            'admin cannot be erased.',
          tags,
          params: IdParams,
          headers: idempotencyHeaders,
          body: EmptyBody,
          response: {
            202: { ...ref(Accepted), examples: [accepted] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async (request, reply) => {
        const { actor, params } = request;
        markReplayed(reply, await users.erase(actor, params.id, idempotencyOf(request)));
        return reply.code(202).send(accepted);
      },
    );
    done();
  };
