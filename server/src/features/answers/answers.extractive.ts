import type { Passage } from '../knowledge/knowledge.service.ts';

const wordsMax = 120;
const furtherLinks = 2;

/**
 * The answer without a model: the best passage, word for word, and where to read on. Yields pieces
 * of a few words, so that it streams like any other.
 */
export function* extractiveAnswer(passages: readonly Passage[]): Generator<string> {
  const [best, ...others] = passages;
  if (!best) return;
  yield `From *${nameOf(best)}* [1]:\n\n`;
  for (const piece of shortened(best.content).match(/\S+\s*/g) ?? []) yield piece;
  const further = others
    .map((passage, at) => ({ name: nameOf(passage), n: at + 2, articleId: passage.article_id }))
    .filter(({ articleId }) => articleId !== best.article_id)
    .filter(({ articleId }, at, all) => all.findIndex((o) => o.articleId === articleId) === at)
    .slice(0, furtherLinks);
  if (further.length > 0) {
    yield `\n\nSee also: ${further.map(({ name, n }) => `*${name}* [${n}]`).join(', ')}`;
  }
}

const nameOf = ({ title, heading }: Passage): string => (heading ? `${title} › ${heading}` : title);

/** Cuts at the end of a line, so that the steps of a list stay whole. */
function shortened(content: string): string {
  const kept: string[] = [];
  let words = 0;
  for (const line of content.split('\n')) {
    words += line.split(/\s+/).filter(Boolean).length;
    if (words > wordsMax && kept.length > 0) return `${kept.join('\n').trimEnd()} …`;
    kept.push(line);
  }
  return kept.join('\n');
}
