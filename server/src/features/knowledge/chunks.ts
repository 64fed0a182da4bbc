/** A piece of an article that is found and quoted as one. */
export type Chunk = { heading: string; content: string };

/** Characters of a chunk's content: about 300 tokens, so that six fit into a prompt. */
const contentLengthMax = 1_200;

/** A longer one is no heading: its words would count for every chunk below it. */
const headingLengthMax = 200;

/**
 * Cuts markdown at its headings, and long sections between their blocks: paragraphs, list items,
 * tables and code stay whole unless one alone is over the limit. `heading` is the nearest one above,
 * without its marks; text before the first heading has the empty heading, and so have headings with
 * nothing below them.
 */
export function chunksOf(markdown: string): Chunk[] {
  const chunks: Chunk[] = [];
  for (const { heading, lines } of withoutBare(sectionsOf(markdown))) {
    for (const content of packed(blocksOf(lines))) chunks.push({ heading, content });
  }
  return chunks;
}

type Section = { heading: string; lines: string[] };

function sectionsOf(markdown: string): Section[] {
  const sections: Section[] = [{ heading: '', lines: [] }];
  let fence: string | undefined;
  for (const line of markdown.split(/\r?\n/)) {
    const heading = fence ? undefined : headingOf(line);
    fence = fenceBehind(line, fence);
    if (heading === undefined) sections.at(-1)?.lines.push(line);
    else sections.push({ heading, lines: [] });
  }
  return sections;
}

/** What the line says if it is a heading. No pattern for all of it: those take quadratic time. */
function headingOf(line: string): string | undefined {
  const [mark] = /^ {0,3}#{1,6}(?=\s)/.exec(line) ?? [];
  if (mark === undefined) return undefined;
  const text = line.slice(mark.length).trim();
  let end = text.length;
  while (text[end - 1] === '#') end -= 1;
  const isClosed = text.charAt(end - 1).trim() === '';
  const heading = isClosed ? text.slice(0, end).trimEnd() : text;
  return heading.length <= headingLengthMax ? heading : undefined;
}

/** Headings with nothing below them are text like any other. */
function withoutBare(sections: readonly Section[]): Section[] {
  const kept: Section[] = [];
  for (const section of sections) {
    const isBare = section.lines.every((line) => line.trim() === '');
    const last = kept.at(-1);
    if (!isBare) kept.push(section);
    else if (last?.heading === '') last.lines.push('', section.heading);
    else kept.push({ heading: '', lines: [section.heading] });
  }
  return kept;
}

/** The mark that has opened the code around what follows the line; undefined outside of code. */
function fenceBehind(line: string, open: string | undefined): string | undefined {
  const [, mark] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
  if (mark === undefined) return open;
  if (open === undefined) return mark;
  return mark.startsWith(open) ? undefined : open;
}

/** What should stay together, and what stood before it: the next line, or an empty one. */
type Block = { text: string; gap: '\n' | '\n\n'; isItem: boolean };

const listItem = /^ ?(?:[-*+]|\d{1,9}[.)])\s/;

function blocksOf(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let fence: string | undefined;
  let isBehindGap = true;
  for (const line of lines) {
    const isBlank = line.trim() === '';
    const last = blocks.at(-1);
    if (isBlank && !fence) {
      isBehindGap = true;
    } else if (last && (fence || belongsTo(last, line, isBehindGap))) {
      last.text += isBehindGap ? `\n\n${line}` : `\n${line}`;
      isBehindGap = false;
    } else {
      const gap = isBehindGap ? '\n\n' : '\n';
      blocks.push({ text: line, gap, isItem: listItem.test(line) });
      isBehindGap = false;
    }
    fence = fenceBehind(line, fence);
  }
  return blocks.map((block) => ({ ...block, text: block.text.trim() }));
}

/** Lines of one paragraph belong together, and what is indented below a list item belongs to it. */
function belongsTo(block: Block, line: string, isBehindGap: boolean): boolean {
  if (listItem.test(line)) return false;
  return isBehindGap ? block.isItem && /^\s{2,}/.test(line) : true;
}

/** Joins blocks up to the limit. */
function packed(blocks: readonly Block[]): string[] {
  const packs: string[] = [];
  for (const { text, gap } of blocks) {
    for (const piece of cutLong(text)) {
      const last = packs.at(-1);
      if (last !== undefined && last.length + gap.length + piece.length <= contentLengthMax) {
        packs[packs.length - 1] = `${last}${gap}${piece}`;
      } else packs.push(piece);
    }
  }
  return packs;
}

/** Cuts a block that is too long alone: between lines, else at a space, else anywhere. */
function cutLong(block: string): string[] {
  const pieces: string[] = [];
  let rest = block;
  while (rest.length > contentLengthMax) {
    const line = rest.lastIndexOf('\n', contentLengthMax);
    const space = line > contentLengthMax / 2 ? line : rest.lastIndexOf(' ', contentLengthMax);
    const cut = space > contentLengthMax / 2 ? space : safeCut(rest, contentLengthMax);
    pieces.push(rest.slice(0, cut).trim());
    rest = rest.slice(cut).trim();
  }
  return rest ? [...pieces, rest] : pieces;
}

/** Never between the halves of a surrogate pair. */
const safeCut = (text: string, at: number): number =>
  /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;
