/**
 * Stands between the model and the reader: what it returns may be shown, and never changes later.
 * Today it holds back an open bracket until it is a citation or plain text, and drops citations of
 * passages that were not given.
 */
export function createGuard(passageCount: number) {
  const cited = new Set<number>();
  let held = '';
  let begun = false;

  /** Drops what cites nothing; again, for a dropped one may leave a new one: `[1[9]2]`. */
  const check = (text: string): string => {
    const checked = text.replace(/\s?\[(\d{1,3})\]/g, (citation, digits: string) => {
      const n = Number(digits);
      if (n < 1 || n > passageCount) return '';
      cited.add(n);
      return citation;
    });
    return checked === text ? text : check(checked);
  };

  return {
    /** Numbers of the passages that the shown text cites, in order of appearance. */
    cited: (): number[] => [...cited],
    push(text: string): string {
      held = check(held + text);
      if (!begun) held = held.trimStart();
      // What can still become a citation (or the space before one), at the very end.
      const open = /(?:\s*\[\d{0,3})*\s*$/.exec(held);
      const released = held.slice(0, open?.index ?? held.length);
      held = held.slice(released.length);
      begun ||= released !== '';
      return released;
    },
    end(): string {
      const released = held.trimEnd();
      held = '';
      return released;
    },
  };
}
