/** What is left out of a quote, or replaced, in this order. */
const replacements: readonly (readonly [RegExp, string])[] = [
  [/<!--[^]*?(?:-->|$)/g, ''],
  [/!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])?/g, ''],
  // Tags, but not links such as `<https://…>` and `<name@…>`.
  [/<(?!https?:\/\/[^\s<>]*>|[\w.+-]+@[\w.-]+>)[a-z/!?][^<>]*>/gi, ''],
  [/<(?!https?:\/\/[^\s<>]*>|[\w.+-]+@[\w.-]+>)(?=[a-z/!?])/gi, ''],
  [/&nbsp;/gi, ' '],
  [/&amp;/gi, '&'],
  [/&(?:#\w+|[a-z]\w{1,31});?/gi, ''],
  // Links by reference: their text stays, the definitions go.
  [/^ {0,3}\[[^\]\n]+\]:.*$/gm, ''],
  [/\[([^\]\n]+)\]\[[^\]\n]*\]/g, '$1'],
  [/\[\s*\]\([^)]*\)/g, ''],
  // An article's own `[3]` is no citation of ours.
  [/[[［【]\^?\s*(\d[\d\s,;–-]*)[\]］】]/g, '($1)'],
];

/** An article's text as it may be quoted: markdown without images, HTML and what looks like a citation. */
export function quotable(text: string): string {
  const quoted = replacements.reduce((all, [from, to]) => all.replace(from, to), text);
  return quoted === text ? text : quotable(quoted);
}

/** The same for a title, which must not break the emphasis around it. */
export const quotableLine = (text: string): string =>
  quotable(text)
    .replace(/[*\s]+/g, ' ')
    .trim();
