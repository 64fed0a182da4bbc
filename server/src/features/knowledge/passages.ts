import type { Passage } from './search.repository.ts';
import { wordsOf } from './question.ts';

/** How many passages of one article a model is given at most: the others may know more. */
const perArticleMax = 2;
/** Share of common words from which two passages say the same. */
const sameShare = 0.9;
const charactersPerToken = 4;

export const tokensOf = ({ title, heading, content }: Passage): number =>
  Math.ceil((title.length + heading.length + content.length) / charactersPerToken);

/**
 * The best passages, in their order, that are not repetitions and fit into the budget together.
 * The first one is always taken; one that is too large leaves room for the next.
 */
export function packPassages<Item extends Passage>(
  passages: readonly Item[],
  { limit, tokenBudget }: { limit: number; tokenBudget: number },
): Item[] {
  const packed: Item[] = [];
  const wordSets: Set<string>[] = [];
  const perArticle = new Map<string, number>();
  let tokens = 0;
  for (const passage of passages) {
    if (packed.length >= limit) break;
    const ofArticle = perArticle.get(passage.article_id) ?? 0;
    const size = tokensOf(passage);
    if (ofArticle >= perArticleMax || (packed.length > 0 && tokens + size > tokenBudget)) continue;
    const words = new Set(wordsOf(passage.content));
    if (wordSets.some((others) => overlap(words, others) >= sameShare)) continue;
    packed.push(passage);
    wordSets.push(words);
    perArticle.set(passage.article_id, ofArticle + 1);
    tokens += size;
  }
  return packed;
}

/** Jaccard's coefficient. */
function overlap(one: Set<string>, other: Set<string>): number {
  const common = one.intersection(other).size;
  const all = one.size + other.size - common;
  return all === 0 ? 1 : common / all;
}
