import { Type, type Static } from 'typebox';
import { closed, Id, named, nullable, oneOf, Time, ref } from '../../platform/http/schemas.ts';
import { isStaff, type Actor } from '../auth/actor.ts';
import { answerStates, Citation, exampleIds, exampleMessage } from '../tickets/tickets.schemas.ts';
import type { AnswerRow } from './answers.repository.ts';

const Source = Type.Object(
  {
    n: Type.Integer(),
    article_id: Id,
    version: Type.Integer(),
    title: Type.String(),
    heading: Type.String(),
    score: Type.Optional(Type.Number({ description: 'Staff only.' })),
  },
  closed,
);

export const Answer = named(
  'Answer',
  Type.Object(
    {
      id: Id,
      ticket_id: Id,
      message_id: Id,
      state: oneOf(answerStates),
      text: Type.String({ description: 'What has been shown so far.' }),
      verdict: nullable(oneOf(['ANSWER', 'CLARIFY', 'NO_ANSWER', 'HANDOFF'] as const)),
      sources: Type.Array(Source),
      citations: Type.Array(ref(Citation)),
      handoff: nullable(
        Type.Object(
          { mode: oneOf(['now', 'offer'] as const), reason: nullable(Type.String()) },
          closed,
        ),
      ),
      feedback: nullable(
        Type.Object(
          {
            helpful: Type.Boolean(),
            reason: nullable(Type.String()),
            comment: nullable(Type.String()),
          },
          closed,
        ),
      ),
      events_url: Type.String(),
      queued_at: Time,
      started_at: nullable(Time),
      ended_at: nullable(Time),
      usage: Type.Optional(
        Type.Object(
          {
            provider: nullable(Type.String()),
            model: nullable(Type.String()),
            input_tokens: nullable(Type.Integer()),
            output_tokens: nullable(Type.Integer()),
            attempt: Type.Integer(),
            failure: nullable(Type.String()),
            cost: nullable(Type.Number({ description: 'US dollars.' })),
            needs_review: Type.Boolean(),
          },
          { ...closed, description: 'Staff only.' },
        ),
      ),
    },
    closed,
  ),
);

/** Answers as they are written: frames of server-sent events. */
export const AnswerStream = Type.String({
  examples: [
    'data: {"type":"text-delta","id":"text","delta":"You have 30 days"}\n\ndata: [DONE]\n\n',
  ],
});

const feedbackReasons = [
  'wrong',
  'incomplete',
  'not-relevant',
  'hard-to-understand',
  'other',
] as const;

export const FeedbackBody = Type.Object(
  {
    helpful: Type.Boolean(),
    reason: Type.Optional(nullable(oneOf(feedbackReasons))),
    comment: Type.Optional(nullable(Type.String({ maxLength: 2_000 }))),
  },
  { ...closed, examples: [{ helpful: false, reason: 'incomplete' }] },
);

/** An answer on the wire; what it cost is for staff. */
export const presentAnswer = (actor: Actor, answer: AnswerRow): Static<typeof Answer> => ({
  id: answer.id,
  ticket_id: answer.ticket_id,
  message_id: answer.message_id,
  state: answer.state,
  text: answer.text,
  verdict: answer.verdict,
  sources: (answer.sources ?? []).map(({ score, ...source }) => ({
    ...source,
    ...(isStaff(actor) && { score }),
  })),
  citations: answer.citations,
  handoff: answer.handoff_mode && { mode: answer.handoff_mode, reason: answer.handoff_reason },
  feedback:
    answer.feedback_helpful === null
      ? null
      : {
          helpful: answer.feedback_helpful,
          reason: answer.feedback_reason,
          comment: answer.feedback_comment,
        },
  events_url: `/api/v1/answers/${answer.id}/events`,
  queued_at: answer.queued_at.toISOString(),
  started_at: answer.started_at?.toISOString() ?? null,
  ended_at: answer.ended_at?.toISOString() ?? null,
  ...(isStaff(actor) && {
    usage: {
      provider: answer.provider,
      model: answer.model,
      input_tokens: answer.input_tokens,
      output_tokens: answer.output_tokens,
      attempt: answer.attempt,
      failure: answer.failure,
      cost: answer.cost,
      needs_review: answer.needs_review,
    },
  }),
});

export const exampleAnswer: Static<typeof Answer> = {
  id: exampleIds.answer,
  ticket_id: exampleIds.ticket,
  message_id: exampleIds.message,
  state: 'completed',
  text: exampleMessage.content,
  verdict: 'ANSWER',
  sources: [
    {
      n: 1,
      article_id: exampleIds.article,
      version: 1,
      title: 'How long do I have to return an item?',
      heading: 'Returns',
    },
  ],
  citations: exampleMessage.citations,
  handoff: null,
  feedback: null,
  events_url: `/api/v1/answers/${exampleIds.answer}/events`,
  queued_at: '2026-11-02T09:30:00.000Z',
  started_at: '2026-11-02T09:30:00.010Z',
  ended_at: '2026-11-02T09:30:02.000Z',
};
