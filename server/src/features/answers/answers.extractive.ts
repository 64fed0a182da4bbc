import type { Passage } from '../knowledge/knowledge.service.ts';
import { quotable, quotableLine } from './answers.quotable.ts';

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
  yield* shortened(quotable(best.content)).match(/\S+\s*/g) ?? [];
  const further = others
    .map((passage, at) => ({ name: nameOf(passage), n: at + 2, articleId: passage.article_id }))
    .filter(({ articleId }) => articleId !== best.article_id)
    .filter(({ articleId }, at, all) => all.findIndex((o) => o.articleId === articleId) === at)
    .slice(0, furtherLinks);
  if (further.length > 0) {
    yield `\n\nSee also: ${further.map(({ name, n }) => `*${name}* [${n}]`).join(', ')}`;
  }
}

const nameOf = ({ title, heading }: Passage): string =>
  [title, heading].filter(Boolean).map(quotableLine).join(' › ');

/** Cuts between lines, so that the steps of a list stay whole, or between sentences of a paragraph. */
function shortened(content: string): string {
  let kept = '';
  for (const piece of piecesOf(content)) {
    if (wordCount(kept + piece) > wordsMax) return `${ending(kept || firstWords(piece))} …`;
    kept += piece;
  }
  return kept.trimEnd();
}

/** What is quoted whole: a step with its indented lines, a row of a table, a sentence. */
const piecesOf = (content: string): string[] =>
  (content.match(/[^\n]+(?:\n[ \t]+[^\n]*)*(?:\n+|$)/g) ?? []).flatMap((line) =>
    /^\s*(?:[-*+|]|\d+[.)])/.test(line) ? [line] : line.split(/(?<=[.!?]["'”’)*_]* +)(?=\S)/),
  );

const wordCount = (text: string): number => text.match(/\S+/g)?.length ?? 0;

const firstWords = (text: string): string =>
  text.match(new RegExp(String.raw`(?:\s*\S+){${wordsMax}}`))?.[0] ?? text;

/** Without a last line that only leads to what was cut: `You can pay with:`. */
const ending = (kept: string): string =>
  kept
    .trimEnd()
    .replace(/(?<=\S)\n+[^\n]*:["'”’)*_]*$/, '')
    .trimEnd();
