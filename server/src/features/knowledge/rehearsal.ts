import type { ArticleNames } from './gate.repository.ts';
import type { Candidate } from './search.repository.ts';

/** Makes a passage look as if the words that the question was made of did not stand in its name. */
export type Disguise = (candidate: Candidate) => Candidate;

/** A question that the knowledge base asks itself. Without an article nothing answers it. */
export type Rehearsal = {
  text: string;
  articleId: string | undefined;
  /** Each gives one way in which the article could have been written. */
  disguises: Disguise[];
};

/** Customers leave out some of a title's words, and add words that are not in it. */
const dropShare = 0.35;
const addedMax = 3;
/** Words of a question that belongs to no article. */
const jumbleMin = 4;
const jumbleMax = 9;
/** One jumble for so many articles. */
const articlesPerJumble = 2;
const nameWeight = 3;

/**
 * Questions from the titles and headings of articles, each article as often as there are rounds. The
 * same articles give the same questions.
 */
export function rehearse(articles: readonly ArticleNames[], rounds = 1): Rehearsal[] {
  const random = createRandom(articles.length);
  const below = (limit: number): number => Math.floor(random() * limit);
  const pool = articles.flatMap(({ title, headings }) => [title, ...headings].flatMap(split));
  const anyWord = (): string => pool[below(pool.length)] ?? '';

  function disturbed(text: string): string {
    const words = split(text).filter(() => random() >= dropShare);
    for (let added = 1 + below(addedMax); added > 0; added--) {
      words.splice(below(words.length + 1), 0, anyWord());
    }
    return words.join(' ');
  }

  const turns = Array.from({ length: rounds }, () => articles).flat();
  return turns.flatMap(({ articleId, title, headings }, at) => {
    const rehearsals: Rehearsal[] = [
      { text: disturbed(title), articleId, disguises: [asItIs, withoutTitle(articleId)] },
    ];
    const heading = headings[below(headings.length)];
    if (heading !== undefined && split(heading).length > 1) {
      rehearsals.push({
        text: heading,
        articleId,
        disguises: [withoutHeading(articleId, heading)],
      });
    }
    if (at % articlesPerJumble === 0) {
      const length = jumbleMin + below(jumbleMax - jumbleMin + 1);
      const text = Array.from({ length }, anyWord).join(' ');
      rehearsals.push({ text, articleId: undefined, disguises: [] });
    }
    return rehearsals;
  });
}

const split = (text: string): string[] => text.split(/\s+/).filter(Boolean);

const asItIs: Disguise = (candidate) => candidate;

/** As if the article had another title. */
export const withoutTitle =
  (articleId: string): Disguise =>
  (candidate) =>
    candidate.article_id === articleId
      ? { ...shortened(candidate, candidate.title_terms), title: '', title_terms: [] }
      : candidate;

const withoutHeading =
  (articleId: string, heading: string): Disguise =>
  (candidate) =>
    candidate.article_id === articleId && candidate.heading === heading
      ? { ...shortened(candidate, candidate.heading_terms), heading: '', heading_terms: [] }
      : candidate;

const shortened = (candidate: Candidate, terms: Candidate['title_terms']): Candidate => {
  const hidden = terms.reduce((sum, [, positions]) => sum + positions.length, 0);
  return { ...candidate, length: Math.max(1, candidate.length - nameWeight * hidden) };
};

/** Mulberry32: small, and the same everywhere. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
