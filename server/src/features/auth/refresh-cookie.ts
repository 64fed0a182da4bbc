import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../errors.ts';

const name = 'support_assistant_refresh';

export type RefreshCookie = ReturnType<typeof createRefreshCookie>;

/** The refresh token of a browser: no script sees it, and no other site's page can make use of it. */
export function createRefreshCookie(publicUrl: string, path: string) {
  const { origin, protocol } = new URL(publicUrl);
  const options: CookieSerializeOptions = {
    path,
    httpOnly: true,
    sameSite: 'strict',
    secure: protocol === 'https:',
  };

  return {
    /** Undefined without a cookie; throws when another site may have sent the request. */
    read(request: FastifyRequest): string | undefined {
      const token = request.cookies[name];
      if (token !== undefined && !isOwnPage(request)) {
        const message = 'A session in a cookie is refreshed by pages of this site only.';
        throw new AppError('cross-site-request', message);
      }
      return token;
    },
    write(reply: FastifyReply, token: string, expires: Date): void {
      reply.setCookie(name, token, { ...options, expires });
    },
    clear(reply: FastifyReply): void {
      reply.clearCookie(name, options);
    },
  };

  function isOwnPage(request: FastifyRequest): boolean {
    const site = request.headers['sec-fetch-site'];
    if (site !== undefined) return site === 'same-origin';
    const from = URL.parse(request.headers.origin ?? '');
    return from !== null && (from.origin === origin || from.host === request.host);
  }
}
