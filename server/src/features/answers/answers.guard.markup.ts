import { folded } from './answers.guard.characters.ts';

const image = /!\[(?!\d{1,3}\](?!\())/;
const definition = /(?:^|\n)[\s>*+-]*\[[^\]\n]*\]:/;
const tag = /<[a-z/!?](?:[^<>]*>)?/gi;
const autolink = /^<(?:https?:\/\/|mailto:|[^\s<>@]+@)[^\s<>]+>$/i;
const entity =
  /&(?:#|[a-z][a-z0-9]{1,31};|(?:lt|gt|quot|apos|colon|sol|bsol|period|tab|newline)(?![a-z]))/i;

/** As it looks when marks of emphasis and escapes are gone: they may stand inside what they hide. */
const plain = (text: string): string => folded(text).replace(/[*_~`\\]/g, '');

/** An image in a text. */
export const imageIn = (text: string): string | undefined => image.exec(plain(text))?.[0];

/** A definition `[name]: address` in a text that begins with a line: it would make links elsewhere. */
export const definitionIn = (text: string): string | undefined =>
  definition.exec(plain(text))?.[0].trim();

/** HTML in a text: a tag, a comment, or an entity that could hide one. Autolinks are links. */
export function htmlIn(text: string): string | undefined {
  const tags = plain(text)
    .match(tag)
    ?.filter((found) => !autolink.test(found));
  return tags?.[0] ?? entity.exec(plain(text))?.[0];
}
