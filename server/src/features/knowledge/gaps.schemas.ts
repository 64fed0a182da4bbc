import { Type, type Static } from 'typebox';
import { closed, Id, named, singleLine, Time } from '../../platform/http/schemas.ts';
import type { GapCluster } from './gaps.service.ts';

export const KnowledgeGap = named(
  'KnowledgeGap',
  Type.Object(
    {
      id: Id,
      question: Type.String({ description: 'The newest one, without personal data.' }),
      count: Type.Integer({ description: 'How many questions ask the same.' }),
      examples: Type.Array(Type.Object({ question: Type.String(), ticket_id: Id }, closed)),
      first_at: Time,
      last_at: Time,
    },
    closed,
  ),
);

export const GapsQuery = Type.Object(
  { limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 25 })) },
  closed,
);

export const DraftFromGapBody = Type.Object(
  {
    message_id: { ...Id, description: "An agent's public reply on a ticket of this gap." },
    title: Type.Optional(singleLine(3, 200, { description: 'Missing: the question.' })),
  },
  {
    ...closed,
    examples: [
      {
        message_id: '0199f3a0-5a15-7b0a-b3f1-94d0a2c8e633',
        title: 'Do you repair zips?',
      },
    ],
  },
);

/** A gap on the wire. */
export const presentGap = (cluster: GapCluster): Static<typeof KnowledgeGap> => ({
  id: cluster.id,
  question: cluster.question,
  count: cluster.count,
  examples: cluster.examples.map(({ question, ticket_id }) => ({ question, ticket_id })),
  first_at: cluster.firstAt.toISOString(),
  last_at: cluster.lastAt.toISOString(),
});

export const exampleGap: Static<typeof KnowledgeGap> = {
  id: '0199f3a0-5a15-7b0a-b3f1-94d0a2c8e701',
  question: 'Do you repair zips?',
  count: 4,
  examples: [
    { question: 'Do you repair zips?', ticket_id: '0199f39e-11c7-7d88-a0c5-5f7e3b1d9044' },
  ],
  first_at: '2026-11-02T09:30:00.000Z',
  last_at: '2026-11-09T15:12:00.000Z',
};
