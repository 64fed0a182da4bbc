const replacement = '\uFFFD';

/**
 * Makes text of what a provider sends piece by piece: well-formed Unicode without U+0000, because
 * PostgreSQL refuses the one and silently changes the other. How the input is cut does not matter:
 * a character that arrives in two halves is held back until its second half is here.
 */
export function createTextCleaner() {
  let held = '';

  function clean(piece: string): string {
    // Nearly every piece is clean already, and this runs for every token of every answer.
    if (held === '' && piece.isWellFormed() && !piece.includes('\0')) return piece;
    const text = held + piece.replaceAll('\0', '');
    held = endsInHighSurrogate(text) ? text.slice(-1) : '';
    return text.slice(0, text.length - held.length).toWellFormed();
  }

  /** What was held back when the text is over. */
  function flush(): string {
    const rest = held === '' ? '' : replacement;
    held = '';
    return rest;
  }

  return { clean, flush };
}

function endsInHighSurrogate(text: string): boolean {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last <= 0xdbff;
}
