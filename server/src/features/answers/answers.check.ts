import { citedIn } from './answers.citations.ts';
import { evidenceOf, factsIn, isStated } from './answers.facts.ts';
import { withoutCitations } from './answers.guard.citations.ts';
import { textOf, type GuardedPassage } from './answers.guard.rules.ts';
import { contentWordsOf } from './answers.words.ts';

export type SentenceSupport = {
  text: string;
  /** Share of its words that a passage it cites has, weighted by how rare they are: 0 to 1. */
  support: number;
  /** Numbers of the passages that the sentence cites, or else those of its paragraph. */
  cites: number[];
};

export type Support = {
  /** A sentence that says something is not cited, or its passage does not say it. */
  needsReview: boolean;
  /** The support of the weakest sentence that says something; 1 when none does. */
  weakest: number;
  sentences: SentenceSupport[];
};

/** Below this the passage speaks of something else. */
const supportMin = 0.5;
/** Sentences with fewer content words, and without a number, greet, lead over or comfort. */
const contentWordsMin = 4;

/**
 * How well an answer stands on what it cites, by its words and numbers: a cheap second look, after the
 * answer is complete. An answer in another language than its passages always needs review.
 */
export function checkSupport(
  text: string,
  passages: readonly GuardedPassage[],
  cited: readonly number[] = citedIn(text),
): Support {
  const sources = passages.map(sourceOf);
  const supportOf = createSupport(sources);
  const sentences = text.split(/\n\s*\n/).flatMap((paragraph) => {
    const common = citedIn(paragraph);
    return sentencesOf(paragraph).map((text) => {
      const own = citedIn(text);
      const cites = (own.length > 0 ? own : common).filter((n) => cited.includes(n));
      return { text, cites, support: Math.max(0, ...cites.map((n) => supportOf(text, n))) };
    });
  });
  const weakest = Math.min(
    1,
    ...sentences.filter(({ text }) => isSubstantial(text)).map(({ support }) => support),
  );
  return { needsReview: weakest < supportMin, weakest, sentences };
}

function sourceOf(passage: GuardedPassage) {
  const text = textOf(passage);
  return { words: new Set(contentWordsOf(text)), evidence: evidenceOf([text]) };
}

function createSupport(sources: readonly ReturnType<typeof sourceOf>[]) {
  const weightOf = (word: string): number => {
    const frequency = sources.filter(({ words }) => words.has(word)).length;
    return Math.log(1 + (sources.length + 1) / (frequency + 1));
  };
  return (sentence: string, n: number): number => {
    const source = sources[n - 1];
    const text = withoutCitations(sentence);
    const words = [...new Set(contentWordsOf(text))];
    if (!source || words.length === 0) return 0;
    // A wrong number is a wrong answer, however right its words are.
    if (!factsIn(text).every((fact) => isStated(fact, source.evidence))) return 0;
    const weight = (some: readonly string[]) => some.reduce((sum, word) => sum + weightOf(word), 0);
    return weight(words.filter((word) => source.words.has(word))) / weight(words);
  };
}

/** Lines and sentences, each with the citations behind its full stop. */
const sentencesOf = (paragraph: string): string[] =>
  paragraph
    .split(/\n|(?<=[.!?…]["'”’)*_]*(?:\s?\[\d{1,3}\])*)\s+(?![\p{Ll}\d[])/u)
    .map((sentence) => sentence.trim())
    .filter((sentence) => /\p{L}/u.test(sentence));

/** A question asks, and a line with a colon leads to what follows. */
function isSubstantial(sentence: string): boolean {
  const text = withoutCitations(sentence).trim();
  if (/[?:]["'”’)*_]*$/.test(text)) return false;
  return contentWordsOf(text).length >= contentWordsMin || factsIn(text).length > 0;
}
