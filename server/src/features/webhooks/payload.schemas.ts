import { Type, type TSchema } from 'typebox';
import { closed, Id, nullable, oneOf, Time } from '../../platform/http/schemas.ts';
import { publicEventTypes, type PublicEventType } from '../events/event-types.ts';
import { exampleEvent } from '../events/events.schemas.ts';

/*
 * The bodies that webhooks send, for the OpenAPI document. Tests hold what is sent against them.
 */

const person = oneOf(['customer', 'agent', 'assistant', 'system'] as const);
const text = Type.String();

const ticket = Type.Object(
  {
    id: Id,
    number: Type.Integer(),
    title: text,
    status: oneOf(['open', 'pending', 'on_hold', 'resolved', 'closed'] as const),
    priority: oneOf(['low', 'normal', 'high', 'urgent'] as const),
    requester_id: Id,
    assignee_id: nullable(Id),
    tags: Type.Array(text),
    assistant: oneOf(['active', 'paused', 'off'] as const),
    handoff_reason: nullable(text),
    channel: text,
    version: Type.Integer(),
  },
  closed,
);

const message = Type.Object(
  {
    id: Id,
    ticket_id: Id,
    seq: Type.Integer(),
    author_type: person,
    author_id: nullable(Id),
    visibility: oneOf(['public', 'internal'] as const),
    answer_id: nullable(Id),
    content: text,
    content_truncated: Type.Boolean({ description: 'The whole text is in the API.' }),
  },
  closed,
);

const answer = Type.Object(
  {
    id: Id,
    ticket_id: Id,
    message_id: Id,
    state: text,
    verdict: nullable(text),
    handoff_mode: nullable(oneOf(['now', 'offer'] as const)),
    handoff_reason: nullable(text),
    helpful: nullable(Type.Boolean()),
  },
  closed,
);

const article = Type.Object(
  { id: Id, title: text, status: text, audience: text, version: Type.Integer() },
  closed,
);

const user = Type.Object({ id: Id, role: text, disabled: Type.Boolean() }, closed);

const webhook = Type.Object(
  {
    id: Id,
    url: text,
    description: text,
    events: Type.Array(text),
    enabled: Type.Boolean(),
  },
  closed,
);

const payload = (types: readonly string[], object: TSchema) =>
  Type.Object(
    {
      type: oneOf(types),
      timestamp: { ...Time, description: 'When it happened.' },
      data: Type.Object(
        {
          object,
          previous: Type.Optional(
            Type.Record(text, Type.Unknown(), {
              description: 'What the changed values were before.',
            }),
          ),
          actor: Type.Object({ type: person, id: nullable(Id) }, closed),
        },
        closed,
      ),
      sequence: Type.Optional(
        Type.Integer({
          description: 'Of the events of one ticket, without holes: for putting them in order.',
        }),
      ),
    },
    closed,
  );

const typesOf = (family: string): PublicEventType[] =>
  publicEventTypes.filter((type) => type.startsWith(`${family}.`));

const families = { ticket, message, answer, article, user };

type Shape = { name: string; types: readonly string[]; schema: object };

const shapeOf = (family: string, types: readonly string[], object: TSchema): Shape => ({
  name: `${family.charAt(0).toUpperCase()}${family.slice(1)}EventPayload`,
  types,
  schema: payload(types, object),
});

const shapes = [
  ...Object.entries(families).map(([family, object]) => shapeOf(family, typesOf(family), object)),
  shapeOf('test', ['webhook.test'], webhook),
];

const examplePayload = {
  type: exampleEvent.type,
  timestamp: exampleEvent.created_at,
  data: {
    object: exampleEvent.object,
    previous: exampleEvent.previous,
    actor: { type: exampleEvent.actor.type, id: exampleEvent.actor.id },
  },
  sequence: exampleEvent.sequence,
};

const header = (name: string, description: string) => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
});

const operation = (type: string, shape: string) => ({
  post: {
    operationId: type.replace(/[._](\w)/g, (_match, letter: string) => letter.toUpperCase()),
    summary: `The event ${type}`,
    tags: ['webhooks'],
    security: [],
    parameters: [
      header('webhook-id', 'The id of the event: the same with every attempt.'),
      header('webhook-timestamp', 'When this attempt was made, in seconds.'),
      header('webhook-signature', 'One or more of `v1,…`, with spaces; see Standard Webhooks.'),
    ],
    requestBody: {
      required: true,
      content: {
        'application/json': {
          schema: { $ref: `#/components/schemas/${shape}` },
          ...(type === examplePayload.type && { example: examplePayload }),
        },
      },
    },
    responses: {
      '2XX': { description: 'Taken. Anything else is tried again.' },
      '410': { description: 'Gone: the webhook is disabled.' },
    },
  },
});

/** The part of the OpenAPI document that tells what webhooks send. */
export const webhooksDocument = {
  schemas: Object.fromEntries(shapes.map(({ name, schema }) => [name, schema])),
  webhooks: Object.fromEntries(
    shapes.flatMap(({ name, types }) => types.map((type) => [type, operation(type, name)])),
  ),
};
