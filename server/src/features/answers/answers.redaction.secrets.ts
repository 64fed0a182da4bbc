import type { Detector } from './answers.redaction.kinds.ts';
import { passwordDetectors } from './answers.redaction.passwords.ts';

const hasDigit = (match: string): string | undefined => (/\d/u.test(match) ? match : undefined);

/** Keys that say by their first letters whose they are. */
const named =
  /(?<![\w-])(?:gh[a-z]_\w{20,255}|github_pat_\w{20,255}|glpat-[\w-]{16,200}|xox[a-z]-[\w-]{10,200}|A(?:KI|SI)A[0-9A-Z]{16}|AIza[\w-]{30,60}|ya29\.[\w-]{20,500}|SG\.[\w-]{16,64}\.[\w-]{16,64}|(?:[spr]k|gsk|xai|hf|npm|pypi|whsec|shp[a-z]{2})[-_][\w-]{16,255})(?![\w-])/gu;
const jsonWebToken = /(?<![\w-])eyJ[\w-]{5,2000}\.[\w-]{5,4000}\.[\w-]{0,2000}/gu;
const privateKey =
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]{0,4000}?-----END [A-Z ]{0,30}PRIVATE KEY-----/gu;
const bearer = /(?<=\b(?:bearer|basic) {1,3})[\w.~+/-]{16,2000}={0,2}/giu;
const labelled =
  /(?<=\b(?:(?:api|access|secret|private)[ _-]?key|secret|token) {0,2}[:=] {0,2})[^\s"'<>]{6,200}/giu;
/** Long and of one piece, with digits: no word, and longer than order and tracking numbers. */
const unnamed = /(?<![\p{L}\p{N}])[A-Za-z0-9]{32,512}={0,2}(?![\p{L}\p{N}])/gu;

const isRandom = (match: string): boolean =>
  /\d/u.test(match) &&
  /[a-z]/iu.test(match) &&
  (/^[\da-f]+$/iu.test(match) || (/[a-z]/u.test(match) && /[A-Z]/u.test(match))) &&
  new Set(match).size >= 10;

export const secretDetectors: readonly Detector[] = [
  { kind: 'secret', pattern: privateKey },
  { kind: 'secret', pattern: jsonWebToken },
  { kind: 'secret', pattern: named, valueIn: hasDigit },
  { kind: 'secret', pattern: bearer, valueIn: hasDigit },
  { kind: 'secret', pattern: labelled, valueIn: hasDigit },
  ...passwordDetectors,
  {
    kind: 'secret',
    pattern: unnamed,
    valueIn: (match) => (isRandom(match) ? match : undefined),
  },
];
