import type { Citation, HandoffReason } from '../../tables.ts';

const reasons: Record<HandoffReason, string> = {
  requested: 'the customer asked for a person',
  'accepted-offer': 'the customer accepted the offer of a person',
  legal: 'the customer speaks of legal steps',
  threat: 'the message sounds like danger to somebody',
  fraud: 'the customer reports fraud',
  privacy: 'the customer asks about their personal data',
  frustration: 'the customer is frustrated',
  'no-answer': 'the articles did not answer, twice in a row',
  guard: 'what the model wrote was not fit to be shown',
  budget: "the customer's budget of answers is used up for today",
  'ai-failed': 'the assistant could not write an answer',
  'ai-incomplete': 'the answer broke off',
};

const lengthMax = 600;

/** What an agent must know to go on from here, as an internal note in markdown. */
export function handoffPacket(input: {
  title: string;
  reason: HandoffReason;
  /** How it was decided, from the trace. */
  decision: string | undefined;
  /** The customer's newest words. */
  message: string;
  /** What the customer has been shown an answer from. */
  tried: readonly Citation[];
}): string {
  const why = input.decision
    ? `${reasons[input.reason]} (${input.decision})`
    : reasons[input.reason];
  const tried = input.tried.map(({ title, quote }) => `- ${title}: “${quote}”`);
  return [
    `**Handed over:** ${why}`,
    `**Issue:** ${input.title}`,
    `**Last message:**\n${quoted(shortened(input.message))}`,
    tried.length > 0
      ? `**Tried:**\n${tried.join('\n')}`
      : '**Tried:** nothing from the articles was shown.',
  ].join('\n\n');
}

const shortened = (text: string): string =>
  text.length > lengthMax ? `${text.slice(0, lengthMax).toWellFormed()} …` : text;

/** As a block quote: what the customer wrote cannot pass for the note's own words. */
const quoted = (text: string): string => text.replaceAll(/^/gm, '> ');
