import { eventFrame } from '../../platform/http/event-frame.ts';
import { isStaff, type Actor } from '../auth/actor.ts';
import { presentEvent } from '../events/events.schemas.ts';
import type { EventView, PositionedEvent } from '../events/events.service.ts';
import type { LiveFrame } from './live.ring.ts';
import type { Person } from './presence.policy.ts';

/*
 * The frames of the live feed. What has an id is told once to everybody who may see it, also to who
 * was away; what has none is about this moment, and is lost on who was away.
 */

export type LiveFrames = typeof liveFrames;

const bytes = (data: object, id?: number): Uint8Array =>
  Buffer.from(eventFrame(data, id === undefined ? undefined : String(id)));

const eventBytes = (event: EventView, position: number, isForStaff: boolean): Uint8Array =>
  bytes({ type: 'event', event: presentEvent(event, isForStaff) }, position);

export const liveFrames = {
  /** Where the reader stands: everything up to here is known to them, or before their time. */
  hello: (position: number): Uint8Array =>
    bytes({ type: 'hello', after: String(position) }, position),

  /** An event, encoded once for all of the staff and once for the customer who may see it. */
  event: (event: PositionedEvent): LiveFrame => ({
    position: event.position,
    requesterId: event.requester_id,
    isForAgents: event.is_for_agents,
    staff: eventBytes(event, event.position, true),
    customer: event.requester_id === null ? undefined : eventBytes(event, event.position, false),
  }),

  /** An event of the feed of one reader. */
  eventFor: (actor: Actor, event: EventView): Uint8Array =>
    eventBytes(event, event.position ?? 0, isStaff(actor)),

  writing: (answer: { id: string; ticketId: string }): Uint8Array =>
    bytes({
      type: 'assistant',
      ticket_id: answer.ticketId,
      answer_id: answer.id,
      state: 'writing',
    }),

  presence: (ticketId: string, people: Person[]): Uint8Array =>
    bytes({ type: 'presence', ticket_id: ticketId, people }),
};

/** Reads a `Last-Event-ID`; undefined when it is not one of ours. */
export const parseLivePosition = (lastEventId: string): number | undefined =>
  /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : undefined;
