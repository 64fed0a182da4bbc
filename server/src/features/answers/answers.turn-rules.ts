import type { Conversation } from './answers.conversation.ts';
import { applyRules, type RuleMatch } from './answers.rules.ts';

/**
 * The rule for all that the customer has said since the last answer. A person is called when any of
 * it calls for one; a canned reply is enough when none of it needs more.
 */
export function matchTurnRules(
  conversation: Pick<Conversation, 'title' | 'question' | 'offered' | 'troubles'>,
): RuleMatch | undefined {
  const { title, question, ...context } = conversation;
  const first = question.find((turn) => turn.seq === 1);
  const said = question.map((turn) => turn.content);
  // The subject of a ticket is part of what its first message says, unless it only repeats it.
  if (first && !title.includes(first.content) && !first.content.includes(title))
    said.unshift(title);
  const matches = said.map((text) => applyRules(text, context));
  const isCanned = matches.every((match) => match?.outcome === 'canned');
  return (
    matches.find((match) => match?.outcome === 'handoff') ??
    matches.find((match) => match?.outcome === 'offer') ??
    (isCanned ? matches.at(-1) : undefined)
  );
}
