import { AppError } from '../../errors.ts';
import type { Actor } from './actor.ts';
import { isStaff } from './actor.ts';
import { hasScope, type Scope } from './scopes.ts';
import { challenge } from './sessions.ts';

/**
 * Who may call a route at all. Every route names one; a route without it fails at boot.
 * What the caller may do to which object is decided in the services.
 */
export type RoutePolicy =
  | 'public'
  /** Public too, but who signs in may see more. */
  | 'anyone'
  | 'signed-in'
  | 'staff'
  | 'admin';

declare module 'fastify' {
  interface FastifyContextConfig {
    policy?: RoutePolicy;
  }
  interface FastifyRequest {
    /**
     * Set for every route whose policy is not `public`; for `anyone` only when a token came along,
     * which such routes must expect.
     */
    actor: Actor;
  }
}

/** Throws 403 when the actor's role lacks the function. */
export function requireRole(actor: Actor, policy: RoutePolicy): void {
  const allowed =
    policy === 'admin' ? actor.role === 'admin' : policy !== 'staff' || isStaff(actor);
  if (!allowed) throw new AppError('forbidden', 'Your role may not do this.');
}

/** Throws 403 when the actor is an API key that lacks the scope; null is for people only. */
export function requireScope({ scopes }: Actor, needed: Scope | null): void {
  if (!scopes) return;
  if (needed === null) {
    throw new AppError('forbidden', 'No API key may do this: somebody has to sign in.');
  }
  if (hasScope(scopes, needed)) return;
  const value = `${challenge['www-authenticate']}, error="insufficient_scope", scope="${needed}"`;
  throw new AppError('insufficient-scope', `This takes an API key with the scope ${needed}.`, {
    details: { headers: { 'www-authenticate': value } },
  });
}
