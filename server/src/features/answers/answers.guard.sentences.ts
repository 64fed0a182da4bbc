/** A mark that ends a sentence, what may close behind it, and the citations that belong to it. */
const ended = /(?:[.!?…]["'”’)*_]*(?:\s?[[【][^\]】]{1,20}[\]】])*\s+|[。！？]\s*)$/u;

/**
 * Whether a sentence is over before `next`, the first character of a word. A citation behind the
 * full stop still belongs to it, and `approx. 5` or `e.g. shoes` goes on.
 */
export const isSentenceOver = (before: string, next: string): boolean =>
  ended.test(before) && !/^[\p{Ll}\d[［【]$/u.test(next);

/** Whether a line is an item of a list or a row of a table, by its first characters. */
export const isListLine = (line: string): boolean => /^\s*(?:[-*•+|]|\d{1,2}[.)])/.test(line);
