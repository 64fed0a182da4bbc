import type { Role } from '../../tables.ts';

/** Who asks: the first argument of every service function that acts for somebody. */
export type Actor = {
  readonly id: string;
  readonly role: Role;
  readonly name: string;
  /** The session that the request came with; a stream lives as long as it does. */
  readonly sessionId: string;
};

export const isStaff = (actor: Pick<Actor, 'role'>): boolean => actor.role !== 'customer';
