import type { EventActor } from './events.service.ts';

export const assistantActor: EventActor = { type: 'assistant', id: null };
export const systemActor: EventActor = { type: 'system', id: null };
