/** A piece of an article that is found and quoted as one. */
export type Chunk = { heading: string; content: string };

/** Characters of a chunk's content: about 300 tokens, so that six fit into a prompt. */
const contentLengthMax = 1_200;

/**
 * Cuts markdown at its headings, and long sections between paragraphs. `heading` is the nearest one
 * above, without its marks; text before the first heading has the empty heading.
 */
export function chunksOf(markdown: string): Chunk[] {
  const chunks: Chunk[] = [];
  for (const { heading, lines } of sectionsOf(markdown)) {
    for (const content of packed(lines.join('\n'))) chunks.push({ heading, content });
  }
  return chunks;
}

function sectionsOf(markdown: string): { heading: string; lines: string[] }[] {
  const sections: { heading: string; lines: string[] }[] = [{ heading: '', lines: [] }];
  let fenced = false;
  for (const line of markdown.split(/\r?\n/)) {
    if (/^\s{0,3}(```|~~~)/.test(line)) fenced = !fenced;
    const heading = fenced ? null : /^ {0,3}#{1,6}\s+(.*?)\s*#*$/.exec(line);
    if (heading) sections.push({ heading: heading[1] ?? '', lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  return sections;
}

/** Joins paragraphs up to the limit; a paragraph that is longer alone is cut at a space. */
function packed(text: string): string[] {
  const pieces = text
    .split(/\n\s*\n/)
    .map((paragraph) => paragraph.trim())
    .filter(Boolean)
    .flatMap(cutLong);
  const packs: string[] = [];
  for (const piece of pieces) {
    const last = packs.at(-1);
    if (last !== undefined && last.length + 2 + piece.length <= contentLengthMax) {
      packs[packs.length - 1] = `${last}\n\n${piece}`;
    } else packs.push(piece);
  }
  return packs;
}

function cutLong(paragraph: string): string[] {
  const pieces: string[] = [];
  let rest = paragraph;
  while (rest.length > contentLengthMax) {
    const space = Math.max(
      rest.lastIndexOf('\n', contentLengthMax),
      rest.lastIndexOf(' ', contentLengthMax),
    );
    const cut = space > contentLengthMax / 2 ? space : safeCut(rest, contentLengthMax);
    pieces.push(rest.slice(0, cut).trim());
    rest = rest.slice(cut).trim();
  }
  return rest ? [...pieces, rest] : pieces;
}

/** Never between the halves of a surrogate pair. */
const safeCut = (text: string, at: number): number =>
  /[\ud800-\udbff]/.test(text.charAt(at - 1)) ? at - 1 : at;
