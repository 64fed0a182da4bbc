import type { Readable } from 'node:stream';
import { Type, type Static } from 'typebox';
import { closed, Id, named, nullable, oneOf, ref, Time } from '../../platform/http/schemas.ts';
import { Citation } from '../tickets/tickets.schemas.ts';
import { exampleUser } from '../users/users.schemas.ts';

const text = Type.String();
const author = oneOf(['customer', 'agent', 'assistant', 'system'] as const);
const Values = Type.Record(text, Type.Unknown());

const happened = {
  type: text,
  actor_type: author,
  data: Values,
  previous: nullable(Values),
  created_at: Time,
};

const ExportedUser = Type.Object(
  {
    id: Id,
    email: text,
    name: text,
    role: oneOf(['customer', 'agent', 'admin'] as const),
    locale: nullable(text),
    external_issuer: nullable(text),
    external_subject: nullable(text),
    has_password: Type.Boolean(),
    version: Type.Integer(),
    disabled_at: nullable(Time),
    erase_requested_at: nullable(Time),
    erased_at: nullable(Time),
    created_at: Time,
    updated_at: Time,
  },
  closed,
);

const ExportedTicket = Type.Object(
  {
    id: Id,
    number: Type.Integer(),
    title: text,
    description: text,
    status: text,
    priority: text,
    tags: Type.Array(text),
    channel: text,
    created_at: Time,
    updated_at: Time,
    resolved_at: nullable(Time),
    erased_at: nullable(Time),
    messages: Type.Array(
      Type.Object(
        {
          seq: Type.Integer(),
          author_type: author,
          author_name: nullable(text),
          visibility: oneOf(['public', 'internal'] as const),
          content: text,
          citations: nullable(Type.Array(ref(Citation))),
          created_at: Time,
        },
        closed,
      ),
    ),
    answers: Type.Array(
      Type.Object(
        {
          id: Id,
          state: text,
          text,
          citations: Type.Array(ref(Citation)),
          searched: nullable(Type.Array(text, { description: 'What was searched for.' })),
          unanswered: nullable(
            Type.String({ description: 'The question, if it was kept as a gap.' }),
          ),
          feedback_helpful: nullable(Type.Boolean()),
          feedback_reason: nullable(text),
          feedback_comment: nullable(text),
          queued_at: Time,
        },
        closed,
      ),
    ),
    events: Type.Array(Type.Object({ ...happened, sequence: nullable(Type.Integer()) }, closed)),
  },
  closed,
);

export const PersonExport = named(
  'PersonExport',
  Type.Object(
    {
      exported_at: Time,
      user: ExportedUser,
      sessions: Type.Array(
        Type.Object(
          {
            id: Id,
            user_agent: text,
            created_at: Time,
            rotated_at: Time,
            expires_at: Time,
            revoked_at: nullable(Time),
          },
          closed,
        ),
      ),
      events: Type.Array(Type.Object({ id: Id, ...happened }, closed), {
        description: 'What happened to the account.',
      }),
      mails: Type.Array(
        Type.Object({ id: Id, kind: text, begun_at: Time, sent_at: nullable(Time) }, closed),
      ),
      links: Type.Array(
        Type.Object(
          { id: Id, purpose: text, created_at: Time, expires_at: Time, used_at: nullable(Time) },
          closed,
        ),
        { description: 'Links for a password that were sent.' },
      ),
      requests: Type.Array(Type.Object({ route: text, key: text, created_at: Time }, closed), {
        description: 'Keys of requests that have their effect once.',
      }),
      tickets: Type.Array(ExportedTicket),
    },
    closed,
  ),
);

/** The document as a stream of its bytes. */
export const StreamedExport = Type.Unsafe<Readable>({ $ref: 'PersonExport#' });

const { disabled: _disabled, ...profile } = exampleUser;

export const exampleExport: Static<typeof PersonExport> = {
  exported_at: '2026-11-03T08:00:00.000Z',
  user: {
    ...profile,
    external_issuer: null,
    external_subject: null,
    has_password: true,
    disabled_at: null,
    erase_requested_at: null,
    erased_at: null,
  },
  sessions: [],
  events: [],
  mails: [],
  links: [],
  requests: [],
  tickets: [],
};
