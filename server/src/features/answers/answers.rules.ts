import type { HandoffReason } from '../../tables.ts';
import { normalise } from './answers.redaction.ts';
import * as patterns from './answers.rules.patterns.ts';
import { asksForPerson } from './answers.rules.person.ts';
import { acceptsOffer, declinesOffer, isGreeting, isThanks } from './answers.rules.smalltalk.ts';
import { plainWords } from './answers.rules.words.ts';

/** What the turns before say. `troubles`: answers in a row before this one that failed the customer. */
export type Standing = { offered: boolean; troubles: number };

/** A decision that needs no model, with the rule that made it. */
export type RuleMatch =
  | { ruleId: string; outcome: 'handoff'; reason: HandoffReason }
  | { ruleId: string; outcome: 'offer'; reason: 'frustration' }
  | { ruleId: string; outcome: 'canned'; reply: 'greeting' | 'thanks' };

const { question, condition } = patterns;

type Rule = { holds(words: string, standing: Standing): boolean; match: RuleMatch };

/** So many answers that failed are enough to offer a person unasked. */
const troublesMax = 2;

const handoff = (ruleId: string, reason: HandoffReason): RuleMatch => ({
  ruleId,
  outcome: 'handoff',
  reason,
});
const offer = (ruleId: string): RuleMatch => ({ ruleId, outcome: 'offer', reason: 'frustration' });
const canned = (ruleId: string, reply: 'greeting' | 'thanks'): RuleMatch => ({
  ruleId,
  outcome: 'canned',
  reply,
});

/** The first that holds decides: what is gravest, what is asked for, what is polite, what is felt. */
const rules: readonly Rule[] = [
  { holds: (words) => patterns.threat.test(words), match: handoff('threat', 'threat') },
  { holds: (words) => isSaid(patterns.legal, words, question), match: handoff('legal', 'legal') },
  {
    holds: (words) => isSaid(patterns.fraud, words, question, condition),
    match: handoff('fraud', 'fraud'),
  },
  {
    holds: (words) => isSaid(patterns.privacy, words, question, condition),
    match: handoff('privacy', 'privacy'),
  },
  { holds: asksForPerson, match: handoff('asks-for-person', 'requested') },
  {
    holds: (words, { offered }) => offered && declinesOffer(words),
    match: canned('declines-offer', 'thanks'),
  },
  {
    holds: (words, { offered }) => offered && acceptsOffer(words),
    match: handoff('accepts-offer', 'accepted-offer'),
  },
  { holds: isGreeting, match: canned('greeting', 'greeting') },
  { holds: isThanks, match: canned('thanks', 'thanks') },
  { holds: (words) => patterns.anger.test(words), match: offer('anger') },
  { holds: hasFailedRepeatedly, match: offer('repeated-failure') },
];

/** What the newest message decides by itself, before anything is searched for. */
export function applyRules(message: string, standing: Standing): RuleMatch | undefined {
  const words = plainWords(normalise(message));
  return rules.find(({ holds }) => holds(words, standing))?.match;
}

/** Said in some clause as a fact or a demand; "what do I do if my card is stolen" is a question. */
const isSaid = (pattern: RegExp, words: string, ...unless: RegExp[]): boolean =>
  words.split(/ [.,]/u).some((clause) => {
    const found = pattern.exec(`${clause} `);
    const before = found && `${clause.slice(0, found.index)} `;
    return before !== null && !unless.some((turned) => turned.test(before));
  });

function hasFailedRepeatedly(words: string, { troubles }: Standing): boolean {
  return troubles >= troublesMax || (troubles > 0 && patterns.saysItFailed.test(words));
}
