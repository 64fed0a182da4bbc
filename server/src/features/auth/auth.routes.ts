import type { IncomingHttpHeaders } from 'node:http';
import fastifyCookie from '@fastify/cookie';
import fastifyFormbody from '@fastify/formbody';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { Type, type Static } from 'typebox';
import { invalidField } from '../../errors.ts';
import { networkOf } from '../../platform/http/request-limits.ts';
import { problems, ref } from '../../platform/http/schemas.ts';
import { exampleUser, presentUser, User } from '../users/users.schemas.ts';
import {
  exampleGrant,
  ExchangeBody,
  LogInBody,
  LogInForm,
  LogOutBody,
  RefreshBody,
  SignUpBody,
  TokenGrant,
  type LogIn,
} from './auth.schemas.ts';
import type { AuthService, Origin } from './auth.service.ts';
import { meRoutes } from './me.routes.ts';
import { passwordResetsRoutes } from './password-resets.routes.ts';
import type { PasswordResetsService } from './password-resets.service.ts';
import { createRefreshCookie, type RefreshCookie } from './refresh-cookie.ts';
import type { Grant } from './sessions.ts';

const tags = ['auth'];

/** Everything about who one is. Registered under the API's prefix. */
export const authRoutes =
  (dependencies: {
    auth: AuthService;
    passwordResets: PasswordResetsService;
    publicUrl: string;
  }): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    const { auth, passwordResets, publicUrl } = dependencies;
    const cookie = createRefreshCookie(publicUrl, `${app.prefix}/auth`);
    void app.register(fastifyCookie);
    void app.register(signUpRoute(auth));
    void app.register(logInRoute(auth, cookie));
    void app.register(sessionRoutes(auth, cookie));
    void app.register(passwordResetsRoutes({ passwordResets }));
    void app.register(meRoutes({ auth }));
    done();
  };

const signUpRoute =
  (auth: AuthService): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.post(
      '/auth/signup',
      {
        config: { policy: 'public', countedAs: 'account' },
        schema: {
          operationId: 'signUp',
          summary: 'Make an account',
          description: 'Makes a customer. Sign in with the same e-mail and password afterwards.',
          tags,
          body: SignUpBody,
          response: { 201: { ...ref(User), examples: [exampleUser] }, ...problems(409, 422) },
        },
      },
      async (request, reply) => reply.code(201).send(presentUser(await auth.signUp(request.body))),
    );
    done();
  };

/** A plugin of its own: nowhere else is a form a body, or another site's page could post one. */
const logInRoute =
  (auth: AuthService, cookie: RefreshCookie): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    void app.register(fastifyFormbody);
    app.post<{ Body: LogIn | undefined }>(
      '/auth/login',
      {
        config: { policy: 'public', countedAs: 'sign-in' },
        schema: {
          operationId: 'logIn',
          summary: 'Sign in',
          description:
            'Takes JSON, or the password form of OAuth2. An unknown e-mail and a wrong password ' +
            'get the same reply.',
          tags,
          body: {
            content: {
              'application/json': { schema: LogInBody },
              'application/x-www-form-urlencoded': { schema: LogInForm },
            },
          },
          response: { 200: { ...ref(TokenGrant), examples: [exampleGrant] }, ...problems(422) },
        },
      },
      async ({ body, headers, ip }, reply) => {
        // Without a content type no schema has seen that there is no body.
        if (!body) throw invalidField('', 'required', 'The body is missing.');
        const origin = originOf(headers, ip);
        if ('username' in body) {
          const { username: email, password } = body;
          return sendGrant(reply, await auth.logIn({ email, password, ...origin }));
        }
        const { email, password, session } = body;
        const grant = await auth.logIn({ email, password, ...origin });
        return sendGrant(reply, grant, session === 'cookie' ? cookie : undefined);
      },
    );
    done();
  };

const sessionRoutes =
  (auth: AuthService, cookie: RefreshCookie): FastifyPluginCallbackTypebox =>
  (app, _options, done) => {
    app.post(
      '/auth/refresh',
      {
        config: { policy: 'public', countedAs: 'sign-in' },
        schema: {
          operationId: 'refreshSession',
          summary: 'Get a new access token',
          description:
            'A refresh token is good for one refresh and then replaced. For ten seconds the same ' +
            'token gives the same successor, however many tabs ask; reuse after that ends the ' +
            'session, because somebody else may hold it. A token from the cookie is taken only ' +
            'from pages of this site (`Sec-Fetch-Site` or `Origin`).',
          tags,
          body: RefreshBody,
          response: {
            200: { ...ref(TokenGrant), examples: [exampleGrant] },
            ...problems(403, 422),
          },
        },
      },
      async (request, reply) => {
        const given = request.body?.refresh_token;
        if (given !== undefined) return sendGrant(reply, await auth.refresh(given));
        return sendGrant(reply, await auth.refresh(cookie.read(request)), cookie);
      },
    );

    app.post(
      '/auth/logout',
      {
        config: { policy: 'signed-in' },
        schema: {
          operationId: 'logOut',
          summary: 'Sign out',
          description: 'Ends the session of the access token, and with it its refresh token.',
          tags,
          body: LogOutBody,
          response: { 204: Type.Null({ description: 'Signed out.' }), ...problems(403, 422) },
        },
      },
      async (request, reply) => {
        await auth.logOut(request.actor);
        cookie.clear(reply);
        return reply.code(204).send(null);
      },
    );

    app.post(
      '/auth/exchange',
      {
        config: { policy: 'public', countedAs: 'sign-in' },
        schema: {
          operationId: 'exchangeToken',
          summary: 'Sign in a user of the host product',
          description:
            'For products that embed support for their own users. `token` is a JWT that the ' +
            "product's server signs with the shared secret (HS256): `iss`, `sub`, `email`, `exp` " +
            'at most ten minutes ahead, and optionally `name`. The first exchange makes the ' +
            'customer. 404 when no secret is configured.',
          tags,
          body: ExchangeBody,
          response: {
            200: { ...ref(TokenGrant), examples: [exampleGrant] },
            ...problems(403, 404, 409, 422),
          },
        },
      },
      async ({ body, headers, ip }, reply) => {
        const origin = originOf(headers, ip);
        return sendGrant(reply, await auth.exchange({ ...body, ...origin }));
      },
    );
    done();
  };

const originOf = (headers: IncomingHttpHeaders, ip: string): Origin => ({
  userAgent: headers['user-agent'] ?? '',
  ip,
  network: networkOf(ip),
});

/** Sends the tokens; with a cookie, the refresh token goes there and not into the body. */
function sendGrant(
  reply: FastifyReply,
  grant: Grant,
  cookie?: RefreshCookie,
): Static<typeof TokenGrant> {
  const { accessToken, expiresInSeconds, refreshToken, expiresAt } = grant;
  reply.header('cache-control', 'no-store');
  cookie?.write(reply, refreshToken, expiresAt);
  return {
    access_token: accessToken,
    token_type: 'bearer',
    expires_in: expiresInSeconds,
    ...(!cookie && { refresh_token: refreshToken }),
  };
}
