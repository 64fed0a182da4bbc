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
import type { AttemptRow, DeliveryDetail, DeliveryView } from './deliveries.service.ts';

const deliveryStates = ['pending', 'succeeded', 'failed'] as const;

const deliveryFields = {
  id: Id,
  webhook_id: Id,
  event: Type.Object(
    { id: Id, type: Type.String(), ticket_id: nullable(Id) },
    { ...closed, description: 'Its id is the `webhook-id` of every attempt.' },
  ),
  state: oneOf(deliveryStates, {
    description: '`failed`: no further attempt comes by itself; redelivering starts anew.',
  }),
  attempts: Type.Integer(),
  next_attempt_at: nullable(Time),
  last_status: nullable(Type.Integer({ description: 'What the receiver replied last.' })),
  last_failure: nullable(
    Type.String({
      description: '`status`, or why there was no reply: `timeout`, `connect`, `refused`, …',
    }),
  ),
  last_duration_ms: nullable(Type.Integer()),
  created_at: Time,
  ended_at: nullable(Time),
};

const Headers = Type.Record(Type.String(), Type.String());

const DeliveryAttempt = Type.Object(
  {
    number: Type.Integer(),
    outcome: oneOf(['running', 'succeeded', 'failed', 'interrupted'] as const, {
      description: '`interrupted`: our process ended before it knew.',
    }),
    url: Type.String(),
    started_at: Time,
    duration_ms: nullable(Type.Integer()),
    failure: nullable(Type.String()),
    message: nullable(Type.String()),
    response: nullable(
      Type.Object(
        { status: Type.Integer(), headers: Headers, body: Type.String() },
        { ...closed, description: 'The first 4,000 characters of the body.' },
      ),
    ),
  },
  closed,
);

export const Delivery = named('WebhookDelivery', Type.Object(deliveryFields, closed));

export const DeliveryWithAttempts = named(
  'WebhookDeliveryWithAttempts',
  Type.Object(
    {
      ...deliveryFields,
      request: Type.Object(
        { headers: Headers, body: Type.String() },
        { ...closed, description: 'Each attempt adds its `webhook-timestamp` and signature.' },
      ),
      attempt_log: Type.Array(DeliveryAttempt, { description: 'The newest 50, oldest first.' }),
    },
    closed,
  ),
);

export const ListDeliveriesQuery = Type.Object(
  {
    ...pageQuery,
    state: Type.Optional(
      Type.Array(oneOf(deliveryStates), { minItems: 1, maxItems: deliveryStates.length }),
    ),
  },
  closed,
);

export const DeliveryParams = Type.Object({ id: Id, delivery_id: Id }, closed);

export const RecoverBody = Type.Object(
  { since: { ...Time, description: 'Events from then on are sent if they were not delivered.' } },
  { ...closed, examples: [{ since: '2026-11-02T08:00:00Z' }] },
);

export const RecoverReply = Type.Object({ since: Time }, closed);

export const exampleDelivery: Static<typeof Delivery> = {
  id: '0199f3a1-2b3c-7d4e-8f50-6b7c8d9e0f12',
  webhook_id: '0199f3a1-1a2b-7c3d-8e4f-5a6b7c8d9e01',
  event: {
    id: '0199f3a0-6f21-7d10-8b3a-3c5e7f9a1b77',
    type: 'ticket.status_changed',
    ticket_id: '0199f3a0-5a10-7c31-9d2e-6c1f3f0b7a11',
  },
  state: 'pending',
  attempts: 1,
  next_attempt_at: '2026-11-02T10:12:05.400Z',
  last_status: 503,
  last_failure: 'status',
  last_duration_ms: 41,
  created_at: '2026-11-02T10:12:00.010Z',
  ended_at: null,
};

export const exampleDetail: Static<typeof DeliveryWithAttempts> = {
  ...exampleDelivery,
  request: {
    headers: {
      'content-type': 'application/json',
      'webhook-id': '0199f3a0-6f21-7d10-8b3a-3c5e7f9a1b77',
    },
    body: '{"type":"ticket.status_changed","timestamp":"2026-11-02T10:12:00.000Z","data":{…}}',
  },
  attempt_log: [
    {
      number: 1,
      outcome: 'failed',
      url: 'https://shop.example.com/hooks/support',
      started_at: '2026-11-02T10:12:00.020Z',
      duration_ms: 41,
      failure: 'status',
      message: null,
      response: { status: 503, headers: { 'retry-after': '5' }, body: 'Back soon' },
    },
  ],
};

/** A delivery on the wire. */
export const presentDelivery = (delivery: DeliveryView): Static<typeof Delivery> => ({
  id: delivery.id,
  webhook_id: delivery.webhook_id,
  event: { id: delivery.event_id, type: delivery.type, ticket_id: delivery.ticket_id },
  state: delivery.state,
  attempts: delivery.attempts,
  next_attempt_at: delivery.next_attempt_at?.toISOString() ?? null,
  last_status: delivery.status,
  last_failure: delivery.failure,
  last_duration_ms: delivery.duration_ms,
  created_at: delivery.created_at.toISOString(),
  ended_at: delivery.ended_at?.toISOString() ?? null,
});

export const presentDetail = ({
  delivery,
  request,
  attempts,
}: DeliveryDetail): Static<typeof DeliveryWithAttempts> => ({
  ...presentDelivery(delivery),
  request,
  attempt_log: attempts.map(presentAttempt),
});

const presentAttempt = (attempt: AttemptRow): Static<typeof DeliveryAttempt> => ({
  number: attempt.number,
  outcome: attempt.outcome,
  url: attempt.url,
  started_at: attempt.started_at.toISOString(),
  duration_ms: attempt.duration_ms,
  failure: attempt.failure,
  message: attempt.message,
  response:
    attempt.status === null
      ? null
      : {
          status: attempt.status,
          headers: attempt.response_headers ?? {},
          body: attempt.response_body ?? '',
        },
});
