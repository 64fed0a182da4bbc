/** `[1]`, `[^1]`, `[1, 2]`, `[1–3]`, `【1†source】`, in ASCII and full-width brackets. */
const citation =
  /\s?[[［【]\^?\s*(\d{1,3}(?:\s*[,;–-]\s*\^?\d{1,3})*)\s*(?:†[^\]］】]{0,40})?[\]］】]/g;
const rangeMax = 10;

/** What may still become a citation, or the space before one, at the end of a text. */
const openCitation = /(?:\s*[[［【][\d\s,;–^-]{0,20}(?:†[^\]］】]{0,40})?)*\s*$/;

/** The place from which a text may still become a citation; its length when there is none. */
export const openCitationAt = (text: string): number => openCitation.exec(text)?.index ?? 0;

/**
 * Brings citations to the form `[1]` and drops those of passages that were not given. Again, for a
 * dropped one may leave a new one: `[1[9]2]`.
 */
export function citationsChecked(text: string, passageCount: number): string {
  const checked = text.replace(citation, (all, list: string) => {
    const numbers = list.split(/[,;]/).flatMap(rangeOf);
    const given = numbers.filter((n) => n >= 1 && n <= passageCount);
    if (given.length === 0) return '';
    return (/^\s/.exec(all)?.[0] ?? '') + given.map((n) => `[${n}]`).join('');
  });
  return checked === text ? text : citationsChecked(checked, passageCount);
}

function rangeOf(text: string): number[] {
  const [first = 0, last = first] = text.split(/[–-]/).map((n) => Number(n.replace(/\D/g, '')));
  const length = last - first + 1;
  if (length < 1 || length > rangeMax) return [first, last];
  return Array.from({ length }, (_, at) => first + at);
}

export const withoutCitations = (checked: string): string => checked.replace(/\[\d{1,3}\]/g, '');
