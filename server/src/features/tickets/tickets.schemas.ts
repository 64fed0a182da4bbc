import { Type, type Static } from 'typebox';
import {
  closed,
  Id,
  named,
  nullable,
  oneOf,
  pageQuery,
  ref,
  singleLine,
  Time,
  uuid,
} from '../../platform/http/schemas.ts';
import type { AnswerState } from '../../tables.ts';
import type { TicketWithMessages } from './tickets.service.ts';
import type { MessageView, TicketView } from './tickets.repository.ts';

export const ticketStatuses = ['open', 'pending', 'on_hold', 'resolved', 'closed'] as const;
const ticketPriorities = ['low', 'normal', 'high', 'urgent'] as const;
const assistantModes = ['active', 'paused', 'off'] as const;
export const answerStates = [
  'queued',
  'streaming',
  'completed',
  'handed_off',
  'incomplete',
  'failed',
  'cancelled',
  'superseded',
] as const;
const handoffReasons = [
  'requested',
  'accepted-offer',
  'legal',
  'threat',
  'fraud',
  'privacy',
  'frustration',
  'no-answer',
  'guard',
  'budget',
  'ai-failed',
  'ai-incomplete',
] as const;

export const exampleIds = {
  ticket: '0199f3a0-5a10-7c31-9d2e-6c1f3f0b7a11',
  message: '0199f3a0-5a12-7e55-8a4b-2d9c7e1f5b22',
  answer: '0199f3a0-5a15-7b0a-b3f1-94d0a2c8e633',
  article: '0199f39e-11c7-7d88-a0c5-5f7e3b1d9044',
  customer: '0199f39f-7777-7a6b-8c1d-0b2e4f6a8c55',
  agent: '0199f39d-2222-7c0d-9e8f-1a3b5c7d9e66',
};

export const AnswerLink = named(
  'AnswerLink',
  Type.Object(
    {
      id: Id,
      state: oneOf(answerStates),
      events_url: Type.String({ description: 'The answer as a stream of server-sent events.' }),
    },
    { ...closed, description: 'A live answer and where to follow it.' },
  ),
);

const Person = Type.Object({ id: Id, name: Type.String() }, closed);

const ticketFields = {
  id: Id,
  number: Type.Integer({ description: 'For people; it never authorises anything.' }),
  title: Type.String(),
  description: Type.String(),
  status: oneOf(ticketStatuses),
  priority: oneOf(ticketPriorities),
  requester: Type.Object({ id: Id, name: Type.String(), email: Type.String() }, closed),
  assignee: nullable(Person),
  tags: Type.Array(Type.String()),
  assistant: oneOf(assistantModes, {
    description: '`active` answers; `paused`: a person has the ticket; `off`: switched off.',
  }),
  handoff: nullable(
    Type.Object(
      { reason: oneOf(handoffReasons), at: Time, answer_id: nullable(Id) },
      { ...closed, description: 'Set while the ticket waits in the queue of the people.' },
    ),
  ),
  answer: nullable(ref(AnswerLink)),
  channel: Type.String(),
  version: Type.Integer({ description: 'The ETag; a new message does not change it.' }),
  last_message_at: Time,
  created_at: Time,
  updated_at: Time,
  resolved_at: nullable(Time),
};

export const Citation = named(
  'Citation',
  Type.Object(
    { n: Type.Integer(), article_id: Id, title: Type.String(), quote: Type.String() },
    { ...closed, description: 'The article behind a number like [1] in the text.' },
  ),
);

export const Message = named(
  'Message',
  Type.Object(
    {
      id: Id,
      ticket_id: Id,
      seq: Type.Integer({ description: 'Strictly increasing per ticket.' }),
      author: Type.Object(
        {
          type: oneOf(['customer', 'agent', 'assistant', 'system'] as const),
          id: nullable(Id),
          name: Type.String(),
        },
        closed,
      ),
      visibility: oneOf(['public', 'internal'] as const),
      content: Type.String(),
      citations: Type.Array(ref(Citation)),
      answer_id: nullable(Id),
      answer_state: nullable(oneOf(answerStates)),
      created_at: Time,
    },
    closed,
  ),
);

export const Ticket = named('Ticket', Type.Object(ticketFields, closed));

export const TicketWithNewestMessages = named(
  'TicketWithMessages',
  Type.Object(
    {
      ...ticketFields,
      messages: Type.Array(ref(Message), { description: 'The newest 50, oldest first.' }),
      older_messages_cursor: nullable(
        Type.String({
          description: 'Leads to older ones in the list of messages, with sort=-seq.',
        }),
      ),
    },
    closed,
  ),
);

const Title = singleLine(3, 200);
const Tags = Type.Array(singleLine(1, 50), { maxItems: 20 });
export const messageLengthMax = 20_000;

export const CreateTicketBody = Type.Object(
  {
    title: Title,
    description: Type.String({ minLength: 1, maxLength: messageLengthMax }),
    requester_id: Type.Optional(uuid({ description: 'Staff only: the customer to open it for.' })),
    priority: Type.Optional(oneOf(ticketPriorities, { description: 'Staff only.' })),
    tags: Type.Optional(Tags),
    channel: Type.Optional(oneOf(['api', 'chat', 'web', 'email', 'phone'] as const)),
  },
  {
    ...closed,
    examples: [
      {
        title: 'Shoes do not fit',
        description: 'How long do I have to return shoes that I have tried on at home?',
      },
    ],
  },
);

export const UpdateTicketBody = Type.Object(
  {
    title: Type.Optional(Title),
    status: Type.Optional(oneOf(ticketStatuses)),
    priority: Type.Optional(oneOf(ticketPriorities, { description: 'Staff only.' })),
    assignee_id: Type.Optional(nullable(Id)),
    tags: Type.Optional(Tags),
    assistant: Type.Optional(oneOf(assistantModes, { description: 'Staff only.' })),
  },
  { ...closed, minProperties: 1, examples: [{ status: 'resolved' }] },
);

const oneOrMore = <const Words extends readonly string[]>(words: Words) =>
  Type.Array(oneOf(words), { minItems: 1, maxItems: words.length });

export const ListTicketsQuery = Type.Object(
  {
    ...pageQuery,
    status: Type.Optional(oneOrMore(ticketStatuses)),
    priority: Type.Optional(oneOrMore(ticketPriorities)),
    assignee: Type.Optional(
      Type.String({
        pattern: '^(me|none|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})$',
        description: '`me`, `none`, or the id of a member of the team.',
      }),
    ),
    requester: Type.Optional(Id),
    handed_off: Type.Optional(Type.Boolean({ description: 'The queue of the people.' })),
    'created_at[gte]': Type.Optional(Time),
    'created_at[lt]': Type.Optional(Time),
    q: Type.Optional(
      Type.String({ minLength: 1, maxLength: 200, description: 'Part of the title.' }),
    ),
    sort: Type.Optional(
      oneOf(
        ['-updated_at', 'updated_at', '-created_at', 'created_at', '-number', 'number'] as const,
        { default: '-updated_at' },
      ),
    ),
  },
  closed,
);

export const ListMessagesQuery = Type.Object(
  { ...pageQuery, sort: Type.Optional(oneOf(['seq', '-seq'] as const, { default: 'seq' })) },
  closed,
);

export const exampleTicket: Static<typeof Ticket> = {
  id: exampleIds.ticket,
  number: 1042,
  title: 'Shoes do not fit',
  description: 'How long do I have to return shoes that I have tried on at home?',
  status: 'open',
  priority: 'normal',
  requester: { id: exampleIds.customer, name: 'Robin Vos', email: 'robin@example.com' },
  assignee: null,
  tags: [],
  assistant: 'active',
  handoff: null,
  answer: {
    id: exampleIds.answer,
    state: 'queued',
    events_url: `/api/v1/answers/${exampleIds.answer}/events`,
  },
  channel: 'api',
  version: 1,
  last_message_at: '2026-11-02T09:30:00.000Z',
  created_at: '2026-11-02T09:30:00.000Z',
  updated_at: '2026-11-02T09:30:00.000Z',
  resolved_at: null,
};

export const exampleMessage: Static<typeof Message> = {
  id: exampleIds.message,
  ticket_id: exampleIds.ticket,
  seq: 2,
  author: { type: 'assistant', id: null, name: 'Assistant' },
  visibility: 'public',
  content: 'You have 30 days from delivery to return an item [1].',
  citations: [
    {
      n: 1,
      article_id: exampleIds.article,
      title: 'How long do I have to return an item?',
      quote: 'You have 30 days from delivery to return an item.',
    },
  ],
  answer_id: exampleIds.answer,
  answer_state: 'completed',
  created_at: '2026-11-02T09:30:02.000Z',
};

export const answerLink = (answer: { id: string; state: AnswerState }) => ({
  id: answer.id,
  state: answer.state,
  events_url: `/api/v1/answers/${answer.id}/events`,
});

/** A ticket on the wire. */
export const presentTicket = (ticket: TicketView): Static<typeof Ticket> => ({
  id: ticket.id,
  number: ticket.number,
  title: ticket.title,
  description: ticket.description,
  status: ticket.status,
  priority: ticket.priority,
  requester: ticket.requester,
  assignee: ticket.assignee,
  tags: ticket.tags,
  assistant: ticket.assistant,
  handoff:
    ticket.handoff_reason && ticket.handoff_at
      ? {
          reason: ticket.handoff_reason,
          at: ticket.handoff_at.toISOString(),
          answer_id: ticket.handoff_answer_id,
        }
      : null,
  answer: ticket.answer && answerLink(ticket.answer),
  channel: ticket.channel,
  version: ticket.version,
  last_message_at: ticket.last_message_at.toISOString(),
  created_at: ticket.created_at.toISOString(),
  updated_at: ticket.updated_at.toISOString(),
  resolved_at: ticket.resolved_at?.toISOString() ?? null,
});

export const presentTicketWithMessages = (
  ticket: TicketWithMessages,
): Static<typeof TicketWithNewestMessages> => ({
  ...presentTicket(ticket),
  messages: ticket.messages.map(presentMessage),
  older_messages_cursor: ticket.olderCursor,
});

const nameWithoutAuthor = { assistant: 'Assistant', system: 'System', customer: '', agent: '' };

/** A message on the wire. */
export const presentMessage = (message: MessageView): Static<typeof Message> => ({
  id: message.id,
  ticket_id: message.ticket_id,
  seq: message.seq,
  author: {
    type: message.author_type,
    id: message.author_id,
    name: message.author_name ?? nameWithoutAuthor[message.author_type],
  },
  visibility: message.visibility,
  content: message.content,
  citations: message.citations ?? [],
  answer_id: message.answer_id,
  answer_state: message.answer_state,
  created_at: message.created_at.toISOString(),
});
