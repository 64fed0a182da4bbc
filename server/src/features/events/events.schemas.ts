import { Type, type Static } from 'typebox';
import {
  closed,
  Id,
  named,
  nullable,
  oneOf,
  pageQuery,
  Time,
} from '../../platform/http/schemas.ts';
import { auditEventTypes, publicEventTypes } from './event-types.ts';
import type { EventView } from './events.service.ts';

const allTypes = [...publicEventTypes, ...auditEventTypes] as const;
const Values = Type.Record(Type.String(), Type.Unknown());

export const Event = named(
  'Event',
  Type.Object(
    {
      id: Id,
      type: oneOf(allTypes),
      actor: Type.Object(
        {
          type: oneOf(['customer', 'agent', 'assistant', 'system'] as const),
          id: nullable(Id),
          name: Type.String(),
        },
        { ...closed, description: 'Who made it happen.' },
      ),
      subject_id: Id,
      ticket_id: nullable(Id),
      sequence: Type.Optional(
        nullable(Type.Integer({ description: 'Per ticket, without holes. Staff only.' })),
      ),
      object: { ...Values, description: 'What it happened to, as it was then: ids, short values.' },
      previous: nullable({ ...Values, description: 'What the changed values were before.' }),
      created_at: Time,
    },
    closed,
  ),
);

export const Feed = Type.Object(
  {
    data: Type.Array(Type.Unsafe<Static<typeof Event>>({ $ref: 'Event#' })),
    next_after: Type.String({
      description: 'Pass it as `after` for what comes next, at any time.',
    }),
  },
  closed,
);

/** A place in the feed. Clients send back what they were given. */
const After = Type.String({ pattern: '^\\d{1,15}$', description: 'Where an earlier reply ended.' });

const types = <const Words extends readonly string[]>(words: Words) =>
  Type.Optional(
    Type.Array(oneOf(words), {
      minItems: 1,
      maxItems: words.length,
      description: 'Repeat it for any of several.',
    }),
  );

export const FeedQuery = Type.Object(
  {
    after: Type.Optional({ ...After, default: '0' }),
    limit: pageQuery.limit,
    type: types(publicEventTypes),
  },
  closed,
);

export const TimelineQuery = Type.Object(
  {
    ...pageQuery,
    sort: Type.Optional(oneOf(['created_at', '-created_at'] as const, { default: 'created_at' })),
  },
  closed,
);

export const AuditQuery = Type.Object(
  {
    ...pageQuery,
    actor: Type.Optional(Id),
    subject: Type.Optional(Id),
    type: types(allTypes),
    'created_at[gte]': Type.Optional(Time),
    'created_at[lt]': Type.Optional(Time),
  },
  closed,
);

export const exampleEvent: Static<typeof Event> = {
  id: '0199f3a0-6f21-7d10-8b3a-3c5e7f9a1b77',
  type: 'ticket.status_changed',
  actor: { type: 'agent', id: '0199f39d-2222-7c0d-9e8f-1a3b5c7d9e66', name: 'Sam Bakker' },
  subject_id: '0199f3a0-5a10-7c31-9d2e-6c1f3f0b7a11',
  ticket_id: '0199f3a0-5a10-7c31-9d2e-6c1f3f0b7a11',
  sequence: 7,
  object: {
    id: '0199f3a0-5a10-7c31-9d2e-6c1f3f0b7a11',
    number: 1042,
    title: 'Shoes do not fit',
    status: 'resolved',
    priority: 'normal',
    requester_id: '0199f39f-7777-7a6b-8c1d-0b2e4f6a8c55',
    assignee_id: '0199f39d-2222-7c0d-9e8f-1a3b5c7d9e66',
    tags: [],
    assistant: 'paused',
    handoff_reason: null,
    channel: 'api',
    version: 3,
  },
  previous: { status: 'pending' },
  created_at: '2026-11-02T10:12:00.000Z',
};

const nameWithoutActor = { assistant: 'Assistant', system: 'System', customer: '', agent: '' };

/**
 * An event on the wire. Customers do not get the sequence: its holes would tell them of what they do
 * not see.
 */
export const presentEvent = (event: EventView, isForStaff: boolean): Static<typeof Event> => ({
  id: event.id,
  type: event.type as Static<typeof Event>['type'],
  actor: {
    type: event.actor_type,
    id: event.actor_id,
    name: event.actor_name ?? nameWithoutActor[event.actor_type],
  },
  subject_id: event.subject_id,
  ticket_id: event.ticket_id,
  ...(isForStaff && { sequence: event.sequence }),
  object: event.data,
  previous: event.previous,
  created_at: event.created_at.toISOString(),
});
