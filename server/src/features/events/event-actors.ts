import { isStaff, type Actor } from '../auth/actor.ts';
import type { EventActor } from './events.service.ts';

export const assistantActor: EventActor = { type: 'assistant', id: null };
export const systemActor: EventActor = { type: 'system', id: null };

export const personOf = (actor: Pick<Actor, 'id' | 'role'>): EventActor => ({
  type: isStaff(actor) ? 'agent' : 'customer',
  id: actor.id,
});
