import { AppError } from '../../errors.ts';
import type { Role } from '../../tables.ts';
import { isApiKey, type Actor } from '../auth/actor.ts';

export type UserFilter = { roles?: Role[]; disabled?: boolean; text?: string };
export type UserChange = {
  name?: string;
  locale?: string | null;
  role?: Role;
  disabled?: boolean;
};

/** Agents look customers up, to write on their behalf; what they may not list they may not ask for. */
export function listable(actor: Actor, filter: UserFilter): UserFilter {
  if (actor.role === 'admin') return filter;
  const asksForMore = filter.disabled || filter.roles?.some((role) => role !== 'customer');
  if (actor.role !== 'agent' || asksForMore) {
    throw new AppError('forbidden', 'Your role may list customers only.');
  }
  return { ...filter, roles: ['customer'], disabled: false };
}

export const seesWholeUser = (actor: Actor): boolean => actor.role === 'admin';

/** A key that could make or change members of the team could make itself one that signs in. */
export function requireMayManage(actor: Actor, { role = 'customer' }: { role?: Role }): void {
  if (isApiKey(actor) && role !== 'customer') {
    throw new AppError('forbidden', 'API keys make and change customers only.');
  }
}
