import type { Detector } from './answers.redaction.kinds.ts';

/*
 * A password may be any word, so what people say about theirs tells: `my password is Summer2024!` has
 * one, `my password is wrong` has none. Behind a verb or a colon a plain word counts unless people say
 * it of passwords; without them only a word with a digit or a mark that words do not have.
 */

const label =
  String.raw`(?<![\p{L}\p{N}])(?:password|passwort|kennwort|passwd|passcode|passphrase|pwd|pw|pin)` +
  String.raw`(?:[ -]?(?:code|number|no\.?))?`;
const purpose = String.raw`(?: (?:for|of|to|für)(?: [\p{L}']{1,20}){1,4})?`;
const verb = String.raw`(?: {1,2}(?:is|was|are|ist|war|lautet)|'s)(?: (?:still|now|currently|set to|changed to))?`;
const sign = String.raw`(?:${verb})? {0,2}[:=][*_]{0,2}`;
const word = String.raw`["'“„‘\x60*(]{0,2}`;

const said = new RegExp(
  String.raw`(?<=${label}${purpose}(?:${verb} {1,2}|${sign}\s{0,3})${word})(?<![\p{L}\p{N}])[^\s"'“”‘’\x60<>]{4,200}`,
  'giu',
);
const besides = new RegExp(
  String.raw`(?<=${label}(?: to| as| -)? {1,2}${word})(?<![\p{L}\p{N}])[^\s"'“”‘’\x60<>]{4,200}`,
  'giu',
);

/** What closes the sentence or the quotation, not the password. */
const closing = /[.,;:?)\]}*…]+$/u;
const hasDigitOrMark = /\d|[@#$%^&*+=_~|\\!](?=[\p{L}\p{N}])|[@#$%^&*+=_~|\\]$/u;
const plainWord = /^[\p{L}\p{M}!/–—-]+$/u;

/** `4-digit`, `24/7`, `10:30`, `2024-01-31`, `15mins`, `100th`, a link: what stands behind the word itself. */
const counted =
  /^(?:\d+[-/–]\p{L}+|\d{1,4}([-/.:])\d{1,2}(?:\1\d{1,4})?|\d+(?:st|nd|rd|th|x|%|am|pm|hrs?|hours?|mins?|minutes?|secs?|seconds?|days?|weeks?|months?|years?|times)|(?:https?:|www\.).*)$/iu;

/** What people say of a password, by its ending or word by word; and how a new sentence begins. */
const endings =
  /(?:ed|ing|ly|able|ible|less|ful|ous|ical|sitive|ten|olen|oken|n't|bar|lich|rrt|setzt|iert|ssen)$/iu;
const remarks = new Set(
  // States
  (
    'wrong right correct incorrect valid invalid inactive active weak strong safe unsafe ' +
    'secure insecure short long same different unique similar identical fine good okay gone ' +
    'lost stuck case reset sent kept shown public private secret null none empty blank ' +
    'missing simple easy hard difficult complex hidden unknown known open dead down useless ' +
    'incomplete complete ready obsolete outdated default temporary permanent mine yours ' +
    'there here back available unavailable denied void faulty obvious common stale current ' +
    'recent older newer mandatory optional essential ' +
    // Words without a meaning of their own
    'that this these those what when where which while whose with without within whether ' +
    'from into only just also even ever never always still very quite really rather almost ' +
    'already again about above after before because below between both each either every ' +
    'give given have having make made more most much must neither need nothing once other ' +
    'over please some someone something somehow such than then they them their under until ' +
    'upon used using your will would could should might does done been being were like ' +
    'unlike true false maybe perhaps probably simply somewhere anywhere everything everyone ' +
    'anything anyone thanks thank hello sorry urgent gibberish ' +
    // Nouns and verbs of a request
    'help issue issues problem problems error errors question support change recover ' +
    'recovery forgot forget forgotten remember lose update protection policy manager link ' +
    'page field entry account login email mail username user access settings details ' +
    'required nonsense part proof tell show send know want cannot says come came keep keeps ' +
    // German
    'falsch richtig nicht nichts kein keine korrekt inkorrekt gültig ungültig sicher ' +
    'unsicher leider immer noch mehr schon auch aber oder weil wenn warum wieso bitte hilfe ' +
    'vergessen abgelaufen gesperrt ändern geändert verloren unbekannt bekannt schwach stark ' +
    'einfach dasselbe gleich anders kurz lang meine mein dein ihre ganz sehr jetzt seit ' +
    'weiterhin'
  ).split(' '),
);

const secretOf = (match: string): string | undefined => {
  const value = match.replace(closing, '');
  return value.length >= 4 && !counted.test(value) ? value : undefined;
};

/** A remark may be hyphenated, doubled by a slash, or go on with an apostrophe: `doesn't`. */
function isRemark(value: string, behind: string): boolean {
  if (!plainWord.test(value)) return false;
  if (/^['’]\p{L}/u.test(behind)) return true;
  const [first = ''] = value.toLowerCase().split(/[!/–—-]/u);
  return value.includes('/') || first.length < 4 || remarks.has(first) || endings.test(first);
}

function saidIn(match: string, text: string, start: number): string | undefined {
  const value = secretOf(match);
  if (value === undefined) return undefined;
  return isRemark(value, text.slice(start + value.length, start + value.length + 2))
    ? undefined
    : value;
}

function besidesIn(match: string): string | undefined {
  const value = secretOf(match);
  return value !== undefined && hasDigitOrMark.test(value) ? value : undefined;
}

export const passwordDetectors: readonly Detector[] = [
  { kind: 'secret', pattern: said, valueIn: saidIn },
  { kind: 'secret', pattern: besides, valueIn: besidesIn },
];
