/** A piece of an article that is found and quoted as one. */
export type Chunk = { heading: string; content: string };

/** Characters of a chunk's content: about 300 tokens, so that six fit into a prompt. */
const contentLengthMax = 1_200;

/**
 * Cuts markdown at its headings, and long sections between their blocks: paragraphs, list items,
 * tables and code stay whole unless one alone is over the limit. `heading` is the nearest one above,
 * without its marks; text before the first heading has the empty heading.
 */
export function chunksOf(markdown: string): Chunk[] {
  const chunks: Chunk[] = [];
  for (const { heading, lines } of sectionsOf(markdown)) {
    for (const content of packed(blocksOf(lines))) chunks.push({ heading, content });
  }
  return chunks;
}

type Section = { heading: string; lines: string[] };

function sectionsOf(markdown: string): Section[] {
  const sections: Section[] = [{ heading: '', lines: [] }];
  let fence: string | undefined;
  for (const line of markdown.split(/\r?\n/)) {
    const heading = fence ? null : /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line);
    fence = fenceBehind(line, fence);
    if (heading) sections.push({ heading: heading[1] ?? '', lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections;
}

/** The mark that has opened the code around what follows the line; undefined outside of code. */
function fenceBehind(line: string, open: string | undefined): string | undefined {
  const [, mark] = /^\s*(`{3,}|~{3,})/.exec(line) ?? [];
  if (mark === undefined) return open;
  if (open === undefined) return mark;
  return mark.startsWith(open) ? undefined : open;
}

/** What should stay together, and what stood before it: the next line, or an empty one. */
type Block = { text: string; gap: '\n' | '\n\n' };

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
      blocks.push({ text: line, gap: isBehindGap ? '\n\n' : '\n' });
      isBehindGap = false;
    }
    fence = fenceBehind(line, fence);
  }
  return blocks.map(({ text, gap }) => ({ text: text.trim(), gap }));
}

/** Lines of one paragraph belong together, and what is indented below a list item belongs to it. */
function belongsTo(block: Block, line: string, isBehindGap: boolean): boolean {
  if (listItem.test(line)) return false;
  return isBehindGap ? listItem.test(block.text) && /^\s{2,}/.test(line) : true;
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
