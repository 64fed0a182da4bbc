import type { Role } from '../../tables.ts';
import type { Scope } from './scopes.ts';

/** Who asks: the first argument of every service function that acts for somebody. */
export type Actor = {
  readonly id: string;
  readonly role: Role;
  readonly name: string;
  /** The session, or the API key, that the request came with; a stream lives as long as it does. */
  readonly sessionId: string;
  /** Of an API key: all that it may do, whatever its role. */
  readonly scopes?: readonly Scope[];
};

/** A program, and not somebody who signed in. */
export const isApiKey = ({ scopes }: Actor): boolean => scopes !== undefined;

export const isStaff = (actor: Pick<Actor, 'role'>): boolean => actor.role !== 'customer';
