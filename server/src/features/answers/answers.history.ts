import type { Turn } from './answers.conversation.repository.ts';

/** Older turns are told in one sentence each, of at most this many characters. */
const sentenceLengthMax = 160;
const summaryLengthMax = 900;

/**
 * What the model is told of the conversation so far: the newest turns whole, as many as fit into
 * `lengthMax` characters, and a summary of those before: the first, which says what it is all about,
 * and the latest of the others.
 */
export function historyWithin(
  turns: readonly Turn[],
  lengthMax: number,
): { summary: string | undefined; kept: Turn[] } {
  const kept: Turn[] = [];
  let length = 0;
  for (const turn of turns.toReversed()) {
    length += turn.content.length;
    if (length > lengthMax) break;
    kept.unshift(turn);
  }
  return { summary: summaryOf(turns.slice(0, turns.length - kept.length)), kept };
}

function summaryOf([first, ...others]: readonly Turn[]): string | undefined {
  if (!first) return undefined;
  const told: string[] = [];
  let length = 0;
  for (const turn of others.toReversed()) {
    const sentence = sentenceOf(turn);
    length += sentence.length;
    if (length > summaryLengthMax) break;
    told.unshift(sentence);
  }
  const left = others.length - told.length;
  return [sentenceOf(first), ...(left > 0 ? [`(${left} messages left out)`] : []), ...told].join(
    '\n',
  );
}

const speakers = { customer: 'Customer', assistant: 'Assistant', agent: 'Agent', system: 'System' };

function sentenceOf({ author_type, content }: Turn): string {
  const text = content.replaceAll(/\s+/g, ' ').trim();
  const sentence = /^.*?[.!?](?=\s|$)/.exec(text)?.[0] ?? text;
  const isCut = sentence.length > sentenceLengthMax;
  const shown = isCut ? `${sentence.slice(0, sentenceLengthMax).toWellFormed()} …` : sentence;
  return `${speakers[author_type]}: ${shown}`;
}
