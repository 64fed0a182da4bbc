import { Type } from 'typebox';
import { eventFrame } from '../../platform/http/event-frame.ts';
import { closed, Id, named, oneOf } from '../../platform/http/schemas.ts';
import { exampleEvent } from '../events/events.schemas.ts';

/** A place in the feed. */
const After = Type.String({
  pattern: '^\\d{1,15}$',
  description:
    '`after` of a hello, or `next_after` of `GET /events`; `Last-Event-ID` goes before it.',
});

export const LiveQuery = Type.Object({ after: Type.Optional(After) }, closed);

export const LiveHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({ description: 'The id of the last frame that was received.' }),
  ),
});

export const LiveStream = Type.String({
  examples: [
    eventFrame({ type: 'hello', after: '5119' }, '5119') +
      eventFrame({ type: 'event', event: exampleEvent }, '5120'),
  ],
});

export const PresenceBody = Type.Object(
  {
    state: oneOf(['viewing', 'typing', 'gone'] as const, {
      description:
        '`typing` is for a reply that the other side will get. Who composes an internal note is `viewing`.',
    }),
  },
  { ...closed, examples: [{ state: 'viewing' }] },
);

const Person = Type.Object(
  {
    user_id: Id,
    name: Type.String(),
    role: oneOf(['customer', 'agent', 'admin'] as const),
    state: oneOf(['viewing', 'typing'] as const),
  },
  closed,
);

export const Presence = named(
  'Presence',
  Type.Object(
    { people: Type.Array(Person) },
    { ...closed, description: 'Who else is at the ticket.' },
  ),
);

export const examplePresence = {
  people: [
    {
      user_id: '0199f39d-2222-7c0d-9e8f-1a3b5c7d9e66',
      name: 'Sam Bakker',
      role: 'agent' as const,
      state: 'typing' as const,
    },
  ],
};
