import type { AnswerSource, Citation } from '../../tables.ts';
import type { Passage } from '../knowledge/knowledge.service.ts';

const quoteLengthMax = 200;

/** A passage as the record of an answer keeps it. */
export const sourceOf = (passage: Passage, at: number): AnswerSource => ({
  n: at + 1,
  article_id: passage.article_id,
  version: passage.version,
  title: passage.title,
  heading: passage.heading,
  score: passage.score,
});

/** The numbers that a text cites, in order of appearance, each once. */
export const citedIn = (text: string): number[] => [
  ...new Set([...text.matchAll(/\[(\d{1,3})\]/g)].map(([, n]) => Number(n))),
];

/** The citations of an answer, from the numbers of the passages that it cites. */
export const citationsOf = (numbers: readonly number[], passages: readonly Passage[]): Citation[] =>
  numbers.flatMap((n) => {
    const passage = passages[n - 1];
    if (!passage) return [];
    const quote = firstSentence(passage.content);
    return [{ n, article_id: passage.article_id, title: passage.title, quote }];
  });

function firstSentence(content: string): string {
  const sentence = /^[^\n]*?[.!?](?=\s|$)/.exec(content)?.[0] ?? content.split('\n', 1)[0] ?? '';
  return sentence.slice(0, quoteLengthMax).toWellFormed();
}
