import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createTextCleaner } from './text-cleaner.ts';

function cleanInPieces(pieces: string[]): string {
  const cleaner = createTextCleaner();
  return pieces.map(cleaner.clean).join('') + cleaner.flush();
}

/** Code units that meet all the special cases often: halves of pairs, U+0000, plain letters. */
const hostileText = fc
  .array(fc.constantFrom('a', 'é', '\0', '\uD83D', '\uDE00', '😀', '\uFFFD'), { maxLength: 30 })
  .map((units) => units.join(''));
const anyText = fc.oneof(hostileText, fc.string({ unit: 'binary' }));
const anyPieces = fc.array(anyText, { maxLength: 12 });

/** What the text would be if it had come in one piece; written without the cleaner's means. */
function naive(text: string): string {
  return [...text.split('\0').join('')]
    .map((character) => (/^[\uD800-\uDFFF]$/.test(character) ? '\uFFFD' : character))
    .join('');
}

describe('the text cleaner', () => {
  test('gives the same text however the input is cut', () => {
    fc.assert(
      fc.property(anyPieces, (pieces) => {
        expect(cleanInPieces(pieces)).toBe(naive(pieces.join('')));
        expect(cleanInPieces(pieces.join('').split(''))).toBe(naive(pieces.join('')));
      }),
    );
  });

  test('gives well-formed pieces without U+0000', () => {
    fc.assert(
      fc.property(anyPieces, (pieces) => {
        const cleaner = createTextCleaner();
        for (const cleaned of [...pieces.map(cleaner.clean), cleaner.flush()]) {
          expect(cleaned.isWellFormed()).toBe(true);
          expect(cleaned).not.toContain('\0');
        }
      }),
    );
  });

  test('leaves clean text alone, piece by piece', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const piece = text.replaceAll('\0', '');
        expect(createTextCleaner().clean(piece)).toBe(piece);
      }),
    );
  });

  test('holds a high surrogate back until its low half arrives', () => {
    const cleaner = createTextCleaner();
    expect(cleaner.clean('so \uD83D')).toBe('so ');
    expect(cleaner.clean('\uDE00!')).toBe('😀!');
  });

  test('joins a pair that U+0000 came between', () => {
    expect(cleanInPieces(['\uD83D', '\0', '\uDE00'])).toBe('😀');
  });

  test('replaces a half that stays alone', () => {
    expect(cleanInPieces(['a\uDE00b', '\uD83D', 'c', '\uD83D'])).toBe('a\uFFFDb\uFFFDc\uFFFD');
  });

  test('has nothing left after a flush', () => {
    const cleaner = createTextCleaner();
    cleaner.clean('\uD83D');
    expect(cleaner.flush()).toBe('\uFFFD');
    expect(cleaner.flush()).toBe('');
  });
});
