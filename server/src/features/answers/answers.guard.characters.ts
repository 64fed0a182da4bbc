const invisible = /^[\p{C}\p{Default_Ignorable_Code_Point}]$/u;
const joiner = /^[\u200c\u200d]$/;
const emoji = /^[\p{Extended_Pictographic}\p{Emoji_Modifier}\ufe0f]$/u;
/** In these scripts a joiner has no work to do: there it only hides letters from a reader of code. */
const unjoined = /^[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\P{L}]$/u;

/**
 * Whether a code point may be shown after `previous`. Invisible ones, and lone surrogates, are left
 * out of the answer, so that what is judged is what is read; emoji and joined scripts keep theirs.
 */
export function isShown(character: string, previous: string): boolean {
  if (character === '\n' || character === '\t') return true;
  if (joiner.test(character)) {
    return emoji.test(previous) || (previous !== '' && !unjoined.test(previous));
  }
  if (character === '\ufe0f') return emoji.test(previous) || /^[\d#*]$/.test(previous);
  return !invisible.test(character);
}

const isAscii = /^[\n\t\x20-\x7e]*$/;
const lookalikes: readonly (readonly [RegExp, string])[] = [
  [/\u200c|\u200d|\ufe0f/g, ''],
  [/[∕⁄⧸╱]/g, '/'],
  [/[∖⧵＼]/g, '\\'],
  [/[꞉∶ː]/g, ':'],
  [/[‹〈⟨]/g, '<'],
  [/(?<=[\w-])[。｡](?=[\w-])/g, '.'],
];

/** The text as lenient software may read it: compatibility forms and look-alike marks made plain. */
export const folded = (text: string): string =>
  isAscii.test(text)
    ? text
    : lookalikes.reduce((all, [mark, plain]) => all.replace(mark, plain), text.normalize('NFKC'));

/** The text as a reader sees it, without the marks of emphasis. */
export const withoutEmphasis = (text: string): string => text.replace(/[*_~`]/g, '');
