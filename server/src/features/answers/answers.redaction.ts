import { detectors } from './answers.redaction.detectors.ts';
import type { Detector, PersonalDataKind } from './answers.redaction.kinds.ts';

export type { PersonalDataKind };

/** Soft hyphens, zero-width and bidi controls, tag characters; and every control but white space. */
const unseen =
  /[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\u{e0000}-\u{e0fff}]|[^\P{Cc}\t\n\r]/gu;

/**
 * The text as people see it, in one form (NFKC): nothing hides in it, and no word escapes a rule by a
 * letter of another shape. Line breaks stay.
 */
export const normalise = (text: string): string =>
  text.toWellFormed().replace(unseen, '').normalize('NFKC');

export type Redactor = ReturnType<typeof createRedactor>;

/** Looks like one of ours, whoever wrote it. */
const placeholderLike = /<[A-Z]{2,8}_\d{1,6}>/gu;
/** Takes the place of what was found, so that the detectors after it see a gap of the same length. */
const gap = '\ue000';

type Kind = PersonalDataKind | 'quoted';
type Span = { kind: Kind; start: number; value: string };

/**
 * Replaces personal data by placeholders such as `<EMAIL_1>`, and puts it back. For one answer: the
 * same value has the same placeholder in all of its texts. What already looks like a placeholder gets
 * one of its own, so nobody reads another value by writing its name.
 */
export function createRedactor() {
  const placeholders = new Map<string, string>();
  const values = new Map<string, string>();
  const counted: Partial<Record<Kind, number>> = {};

  function placeholderOf(kind: Kind, value: string): string {
    const known = placeholders.get(value);
    if (known) return known;
    const n = (counted[kind] ?? 0) + 1;
    counted[kind] = n;
    const placeholder = `<${kind.toUpperCase()}_${n}>`;
    placeholders.set(value, placeholder);
    values.set(placeholder, value);
    return placeholder;
  }

  return {
    redact(text: string): string {
      let redacted = '';
      let from = 0;
      for (const { kind, start, value } of personalDataIn(text)) {
        redacted += text.slice(from, start) + placeholderOf(kind, value);
        from = start + value.length;
      }
      return redacted + text.slice(from);
    },

    /** How many different values of each kind were found. */
    counts(): Partial<Record<PersonalDataKind, number>> {
      const { quoted: _, ...counts } = counted;
      return counts;
    },

    /** For a stream of pieces: what a `push` returns is final. Unknown placeholders stay. */
    createRestorer() {
      let held = '';
      const mayGrow = (tail: string): boolean =>
        values
          .keys()
          .some((placeholder) => placeholder.length > tail.length && placeholder.startsWith(tail));

      return {
        push(text: string): string {
          const whole = held + text;
          const open = whole.lastIndexOf('<');
          const end = open >= 0 && mayGrow(whole.slice(open)) ? open : whole.length;
          held = whole.slice(end);
          return restored(whole.slice(0, end));
        },
        end(): string {
          const rest = held;
          held = '';
          return rest;
        },
      };
    },
  };

  function restored(text: string): string {
    return text.replace(placeholderLike, (placeholder) => values.get(placeholder) ?? placeholder);
  }
}

/** Where personal data stands in a text, in order. No two of them overlap. */
export function personalDataIn(text: string): Span[] {
  const spans: Span[] = [];
  const cover = (kind: Kind, start: number, value: string): string => {
    spans.push({ kind, start, value });
    return gap.repeat(value.length);
  };
  let open = text.replace(placeholderLike, (value, start: number) => cover('quoted', start, value));
  for (const detector of detectors) {
    let covered = '';
    let from = 0;
    for (const { start, value } of valuesIn(open, detector)) {
      covered += open.slice(from, start) + cover(detector.kind, start, value);
      from = start + value.length;
    }
    open = covered + open.slice(from);
  }
  return spans.sort((one, other) => one.start - other.start);
}

/** A match may swallow the next value, so the search goes on right behind what was the value. */
function* valuesIn(text: string, { pattern, valueIn }: Detector): Generator<Omit<Span, 'kind'>> {
  pattern.lastIndex = 0;
  for (let found = pattern.exec(text); found; found = pattern.exec(text)) {
    const [match] = found;
    const isOpen = !match.includes(gap);
    const value = isOpen && valueIn ? valueIn(match, text, found.index) : isOpen && match;
    if (value) yield { start: found.index, value };
    pattern.lastIndex =
      found.index + (value || String.fromCodePoint(match.codePointAt(0) ?? 0)).length;
  }
}
