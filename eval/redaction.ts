import {
  personalDataIn,
  type PersonalDataKind,
} from '../server/src/features/answers/answers.redaction.ts';
import { readLines } from './read-lines.ts';
import { atLeast, atMost, ratioOf, type Row } from './row.ts';

type Marked = {
  full_text: string;
  spans: { entity_type: string; start_position: number; end_position: number }[];
};
type Question = { text: string };

/** The names of Presidio's entities. */
const entities: Record<string, PersonalDataKind> = {
  EMAIL_ADDRESS: 'email',
  PHONE_NUMBER: 'phone',
  CREDIT_CARD: 'card',
  IBAN_CODE: 'iban',
  US_SSN: 'ssn',
  IP_ADDRESS: 'ip',
};

/** How much personal data is found, and how much that is none is left alone. */
export async function measure(dataDir: string): Promise<Row[]> {
  const marked = await readLines<Marked>(dataDir, 'pii_presidio.jsonl');
  const banking = await readLines<Question>(dataDir, 'intent_banking77.train.jsonl');
  return [
    ...Object.keys(entities).flatMap((entity) => recall(entity, marked)),
    ...falseHits(banking),
  ];
}

function recall(entity: string, marked: Marked[]): Row[] {
  const values = marked.flatMap(({ full_text, spans }) =>
    spans
      .filter((span) => span.entity_type === entity)
      .map((span) => ({ text: full_text, start: span.start_position, end: span.end_position })),
  );
  if (values.length === 0) return [];
  return [
    {
      measure: `redaction: recall of ${entities[entity]}, Presidio`,
      unit: 'ratio',
      ...atLeast(ratioOf(values, isCovered), 0.97),
      note: `${values.length} values`,
    },
  ];
}

/** Found means wholly covered, by whatever kind. */
const isCovered = ({ text, start, end }: { text: string; start: number; end: number }): boolean =>
  personalDataIn(text).some(
    (found) => found.start <= start && found.start + found.value.length >= end,
  );

function falseHits(questions: Question[]): Row[] {
  if (questions.length === 0) return [];
  const hits = questions.filter(({ text }) => personalDataIn(text).length > 0).length;
  return [
    {
      measure: 'redaction: false hits, BANKING77',
      unit: 'count',
      ...atMost(hits, 0),
      note: `${questions.length} questions`,
    },
  ];
}
