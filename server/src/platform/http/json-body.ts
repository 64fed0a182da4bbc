/** Why a body is not acceptable, in terms of the HTTP status it deserves. */
export class BodyError extends Error {
  readonly kind: 'unparseable' | 'invalid';
  readonly pointer: string;

  constructor(kind: 'unparseable' | 'invalid', pointer: string, message: string) {
    super(message);
    this.name = 'BodyError';
    this.kind = kind;
    this.pointer = pointer;
  }
}

const depthMax = 32;
const valuesMaxByDefault = 1_000;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * Parses a JSON body and refuses what later stages cannot survive: bytes that are not UTF-8, nesting
 * that overflows the stack of validators and serialisers, `__proto__`, and text that PostgreSQL
 * refuses (U+0000) or silently changes (lone surrogates).
 */
export function parseJsonBody(body: Buffer, valuesMax = valuesMaxByDefault): unknown {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(body));
  } catch {
    throw new BodyError('unparseable', '', 'The body is not valid JSON in UTF-8.');
  }
  checkValue(value, '', 0, { left: valuesMax, max: valuesMax });
  return value;
}

function checkValue(
  value: unknown,
  pointer: string,
  depth: number,
  count: { left: number; readonly max: number },
): void {
  if (typeof value === 'string') return checkText(value, pointer);
  if (typeof value !== 'object' || value === null) return;
  if (depth >= depthMax) {
    throw new BodyError(
      'unparseable',
      pointer,
      `The body is nested deeper than ${depthMax} levels.`,
    );
  }
  for (const [key, child] of Object.entries(value)) {
    count.left -= 1;
    if (count.left < 0) {
      throw new BodyError('unparseable', '', `The body has more than ${count.max} values.`);
    }
    const childPointer = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (key === '__proto__') {
      throw new BodyError('invalid', childPointer, 'The name __proto__ is not allowed.');
    }
    checkText(key, childPointer);
    checkValue(child, childPointer, depth + 1, count);
  }
}

/** Refuses text that the database cannot store exactly as it is. */
export function checkText(text: string, pointer: string): void {
  if (text.includes('\0')) {
    throw new BodyError('invalid', pointer, 'Text must not contain the character U+0000.');
  }
  if (!text.isWellFormed()) {
    throw new BodyError('invalid', pointer, 'Text must be well-formed Unicode.');
  }
}
