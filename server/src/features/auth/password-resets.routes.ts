import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { problems, ref } from '../../platform/http/schemas.ts';
import { Accepted, accepted } from '../users/users.schemas.ts';
import { PasswordResetBody, SetPasswordBody, TokenParams } from './auth.schemas.ts';
import type { PasswordResetsService } from './password-resets.service.ts';

const tags = ['auth'];

/** A new password by mail, for who has forgotten theirs or never had one. */
export const passwordResetsRoutes =
  ({ passwordResets }: { passwordResets: PasswordResetsService }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.post(
      '/auth/password-resets',
      {
        config: { policy: 'public', countedAs: 'account' },
        schema: {
          operationId: 'requestPasswordReset',
          summary: 'Ask for a link that sets a new password',
          description:
            'The reply is the same whether there is an account or not. The link is good for 30 ' +
            'minutes and goes out three times an hour at most. 409 `mail-off` when the server ' +
            'sends no mail.',
          tags,
          body: PasswordResetBody,
          response: { 202: { ...ref(Accepted), examples: [accepted] }, ...problems(409, 422) },
        },
      },
      async ({ body }, reply) => {
        await passwordResets.request(body.email);
        return reply.code(202).send(accepted);
      },
    );

    app.put(
      '/auth/password-resets/:token',
      {
        config: { policy: 'public', countedAs: 'sign-in' },
        schema: {
          operationId: 'setPassword',
          summary: 'Set a password with the token of a mail',
          description:
            'Takes the token of a password reset or an invitation, once, and ends all sessions of ' +
            'the account. A token that is used, too old, replaced or none at all is 404.',
          tags,
          params: TokenParams,
          body: SetPasswordBody,
          response: { 204: Type.Null({ description: 'Set.' }), ...problems(404, 422) },
        },
      },
      async ({ params, body }, reply) => {
        await passwordResets.setPassword(params.token, body.password);
        return reply.code(204).send(null);
      },
    );
    done();
  };
