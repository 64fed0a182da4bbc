import { Type, type Static } from 'typebox';
import { closed, Id, named, nullable } from '../../platform/http/schemas.ts';
import type { AnswerRow } from './answers.repository.ts';

/** How an answer came about, for staff. */
export const AnswerTraceShape = named(
  'AnswerTrace',
  Type.Object(
    {
      answer_id: Id,
      decision: nullable(
        Type.String({
          description: 'The step that decided, and why; null while it is live or was cut short.',
        }),
      ),
      searched: Type.Array(Type.String(), { description: 'Without personal data.' }),
      redactions: Type.Record(Type.String(), Type.Integer(), {
        description: 'How many values of each kind were kept from the model.',
      }),
      found: Type.Array(
        Type.Object(
          {
            article_id: Id,
            version: Type.Integer(),
            heading: Type.String(),
            score: Type.Number(),
            sent: Type.Boolean({ description: 'Given to the model, or quoted from.' }),
            cited: Type.Boolean(),
          },
          closed,
        ),
        { description: 'What the search found, best first.' },
      ),
      evidence: nullable(
        Type.Object(
          {
            probability: Type.Number({ description: 'That the first passage answers.' }),
            threshold: Type.Number(),
            features: Type.Record(Type.String(), Type.Number()),
            knowledge_version: Type.Integer(),
          },
          closed,
        ),
      ),
      support: nullable(
        Type.Number({ description: 'The lowest support of a sentence by what it cites, 0 to 1.' }),
      ),
      needs_review: Type.Boolean(),
      provider: nullable(Type.String()),
      model: nullable(Type.String()),
      input_tokens: nullable(Type.Integer()),
      output_tokens: nullable(Type.Integer()),
      cost: nullable(Type.Number({ description: 'US dollars, when the model has a price.' })),
      failure: nullable(Type.String()),
      attempt: Type.Integer(),
    },
    closed,
  ),
);

/** A trace on the wire. */
export function presentTrace(answer: AnswerRow): Static<typeof AnswerTraceShape> {
  const { trace } = answer;
  const sources = answer.sources ?? [];
  return {
    answer_id: answer.id,
    decision: trace?.decision ?? null,
    searched: trace?.searched ?? [],
    redactions: trace?.redactions ?? {},
    found: (trace?.found ?? []).map((passage, at) => ({
      ...passage,
      sent: at < sources.length,
      cited: answer.citations.some(({ n }) => n === at + 1),
    })),
    evidence: trace?.evidence ?? null,
    support: trace?.support ?? null,
    needs_review: answer.needs_review,
    provider: answer.provider,
    model: answer.model,
    input_tokens: answer.input_tokens,
    output_tokens: answer.output_tokens,
    cost: answer.cost,
    failure: answer.failure,
    attempt: answer.attempt,
  };
}

export const exampleTrace: Static<typeof AnswerTraceShape> = {
  answer_id: '0199f3a0-5a15-7b0a-b3f1-94d0a2c8e633',
  decision: 'model: ANSWER',
  searched: ['How long do I have to return shoes?'],
  redactions: { email: 1 },
  found: [
    {
      article_id: '0199f39e-11c7-7d88-a0c5-5f7e3b1d9044',
      version: 1,
      heading: 'Shoes',
      score: 7.31,
      sent: true,
      cited: true,
    },
  ],
  evidence: {
    probability: 0.94,
    threshold: 0.5,
    features: { coverage: 1 },
    knowledge_version: 26,
  },
  support: 0.81,
  needs_review: false,
  provider: 'groq',
  model: 'openai/gpt-oss-120b',
  input_tokens: 1_204,
  output_tokens: 61,
  cost: 0.000227,
  failure: null,
  attempt: 1,
};
