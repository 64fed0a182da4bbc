import type { HandoffReason } from '../../tables.ts';

/** A decision that needs no model, with the rule that made it. */
export type RuleMatch = { ruleId: string; reason: HandoffReason };

const asksForPerson =
  /\b(talk|speak|chat|connect|transfer|escalate|put)\b.{0,30}\b(person|human|agent|someone|somebody|representative|operator|advisor|supervisor|manager)\b|\b(real|actual|live)\s+(person|human|agent)\b|^\s*(a\s+)?(human|agent|person|operator|representative)( please)?\W*$/iu;
const accepts = /^\s*(yes|yeah|yep|sure|ok(ay)?|please( do)?|yes,? please|go ahead)\W*$/iu;

/** What the newest message decides by itself. `offered`: the last answer offered a person. */
export function matchRule(message: string, offered: boolean): RuleMatch | undefined {
  if (offered && accepts.test(message)) {
    return { ruleId: 'accepts-offer', reason: 'accepted-offer' };
  }
  if (asksForPerson.test(message)) return { ruleId: 'asks-for-person', reason: 'requested' };
  return undefined;
}
