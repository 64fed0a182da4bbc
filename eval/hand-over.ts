import { applyRules } from '../server/src/features/answers/answers.rules.ts';
import { readLines } from './read-lines.ts';
import { atLeast, atMost, ratioOf, type Row } from './row.ts';

type Question = { text: string; label: string };

/** The rule as anybody would write it first. */
const plainRegex =
  /\b(talk|speak|chat|connect|transfer|escalate|put)\b.{0,30}\b(person|human|agent|someone|somebody|representative|operator|advisor|supervisor|manager)\b|\b(real|actual|live)\s+(person|human|agent)\b|^\s*(a\s+)?(human|agent|person|operator|representative)( please)?\W*$/iu;

const asks = ({ text }: Question): boolean => ruleOf(text) === 'asks-for-person';
const plainlyAsks = ({ text }: Question): boolean => plainRegex.test(text);
const ruleOf = (text: string): string | undefined =>
  applyRules(text, { offered: false, troubles: 0 })?.ruleId;

/** How well the rules before the model know who needs a person, and leave everybody else alone. */
export async function measure(dataDir: string): Promise<Row[]> {
  const read = (name: string) => readLines<Question>(dataDir, name);
  const banking = await read('intent_banking77.train.jsonl');
  const clinc = [
    ...(await read('intent_clinc150.train.jsonl')),
    ...(await read('intent_clinc150.val.jsonl')),
  ];
  const bitextTrain = await read('intent_bitext.train.jsonl');
  const bitextDev = await read('intent_bitext.dev.jsonl');
  const bitext = [...bitextTrain, ...bitextDev];
  const labelled = (questions: Question[], label: string) =>
    questions.filter((question) => question.label === label);

  return [
    ...recall('Bitext train', labelled(bitextTrain, 'contact_human_agent')),
    ...recall('Bitext dev', labelled(bitextDev, 'contact_human_agent')),
    ...falseAlarms('BANKING77', banking),
    ...falseAlarms(
      'Bitext, contact_customer_service',
      labelled(bitext, 'contact_customer_service'),
    ),
    ...otherRules([...banking, ...clinc, ...bitext]),
    ...acceptedRefusals(labelled(clinc, 'no')),
  ];
}

const recall = (source: string, questions: Question[]): Row[] =>
  rowOf(questions, {
    measure: `hand-over rule: recall, ${source}`,
    unit: 'ratio',
    ...atLeast(ratioOf(questions, asks), 0.985),
    reference: { name: 'plain regex', value: ratioOf(questions, plainlyAsks) },
  });

const falseAlarms = (source: string, questions: Question[]): Row[] =>
  rowOf(questions, {
    measure: `hand-over rule: false alarms, ${source}`,
    unit: 'ratio',
    ...atMost(ratioOf(questions, asks), 0.007),
    reference: { name: 'plain regex', value: ratioOf(questions, plainlyAsks) },
  });

/** The labels under which each rule's own words are to be expected: the rest is ordinary. */
const meant: Record<string, readonly string[]> = {
  threat: [],
  legal: [],
  fraud: [
    ...['compromised_card', 'lost_or_stolen_card', 'lost_or_stolen_phone', 'report_fraud'],
    ...['report_lost_card', 'card_payment_not_recognised', 'cash_withdrawal_not_recognised'],
    'direct_debit_payment_not_recognised',
  ],
  privacy: [],
  anger: ['complaint'],
  greeting: ['greeting'],
  thanks: ['thank_you', 'goodbye', 'yes'],
};

function otherRules(questions: Question[]): Row[] {
  const decided = questions.map(({ text, label }) => ({ label, rule: ruleOf(text) }));
  return Object.entries(meant).flatMap(([rule, labels]) => {
    const ordinary = decided.filter(({ label }) => !labels.includes(label));
    return rowOf(ordinary, {
      measure: `rule ${rule}: fires on ordinary questions`,
      unit: 'ratio',
      ...atMost(
        ratioOf(ordinary, (question) => question.rule === rule),
        0.002,
      ),
      note: `${ordinary.length} questions of BANKING77, CLINC150 and Bitext`,
    });
  });
}

const acceptedRefusals = (questions: Question[]): Row[] =>
  rowOf(questions, {
    measure: 'rule accepts-offer: a no taken for a yes, CLINC150',
    unit: 'count',
    ...atMost(
      questions.filter(
        ({ text }) => applyRules(text, { offered: true, troubles: 0 })?.ruleId === 'accepts-offer',
      ).length,
      0,
    ),
  });

const rowOf = (questions: readonly unknown[], row: Row): Row[] =>
  questions.length === 0 ? [] : [row];
