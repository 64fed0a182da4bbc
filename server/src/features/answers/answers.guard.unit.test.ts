import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createAnswerGuard } from './answers.guard.ts';
import { chunked, guarded, newGuard, units } from './test-guard.ts';

describe('the guard of an answer', () => {
  test('plain words are shown one by one, with at most one word held back', () => {
    const words = 'Shoes that you tried on indoors, with the box, may come back (unworn). Easy!';
    const text = `${words} `.repeat(70).trim();
    expect(text.split(' ').length).toBeGreaterThan(900);
    const guard = newGuard();
    let fed = '';
    let shown = '';
    for (const unit of units(text)) {
      fed += unit;
      shown += guard.push(unit);
      expect(fed.slice(shown.length).trim().split(/\s+/).length).toBeLessThanOrEqual(1);
    }
    expect(shown + guard.end()).toBe(text);
  });

  test('holds back 160 characters at most, and shows nothing half', () => {
    const piece = fc.constantFrom('30 ', 'days ', 'We will ', '[', '[1] ', '. ', 'x', '- ', '\n');
    const text = fc.array(piece, { maxLength: 300 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(text, (text) => {
        const guard = newGuard();
        let shown = 0;
        units(text.trimStart()).forEach((unit, at) => {
          shown += guard.push(unit).length;
          if (!guard.violation()) expect(at + 1 - shown).toBeLessThanOrEqual(160);
        });
      }),
    );
  });

  test('a number waits for the citation of its sentence', () => {
    const guard = newGuard();
    expect(guard.push('Return it within 30 days please. ')).toBe('Return it within');
    expect(guard.push('[1')).toBe('');
    expect(guard.push('] Try')).toBe(' 30 days please. [1]');
    expect(guard.push(' it.') + guard.end()).toBe(' Try it.');
  });

  test('a number is judged with the passages that its sentence cites', () => {
    expect(guarded(['Klarna takes 5–7 working days [2].']).rule).toBeUndefined();
    expect(guarded(['Klarna takes 5–7 working days [1].']).rule).toBe('number');
    expect(guarded(['Klarna takes 5–7 working days.']).rule).toBeUndefined();
    expect(guarded(['It is easy [1]. Klarna takes 5–7 working days.']).rule).toBe('number');
    expect(guarded(['It is easy [1].\n- Klarna: 5–7 working days']).rule).toBeUndefined();
  });

  test('after a violation nothing is shown, and staff can read why', () => {
    const guard = newGuard();
    const shown = guard.push('It is easy. You get €999 back [1]. And more words ');
    expect(shown).toBe('It is easy. You get');
    expect(guard.violation()).toEqual({ rule: 'number', detail: '€999' });
    expect(guard.push('More words. ') + guard.end()).toBe('');
  });

  test('an answer that is too long ends with a whole sentence', () => {
    const { shown, rule } = guarded(units('Plain words come here. '.repeat(30)), newGuard(300));
    expect(rule).toBe('length');
    expect(shown).toBe('Plain words come here. '.repeat(13).trim());
  });

  test.each([
    ['A [2]. B [1]. C [2] [7].', 'A [2]. B [1]. C [2].', [2, 1]],
    ['A [1, 2]. B [1-3]. C [2; 9].', 'A [1][2]. B [1][2][3]. C [2].', [1, 2, 3]],
    ['A【1】. B 【2†source】. C [^3]. D ［4］.', 'A[1]. B [2]. C [3]. D [4].', [1, 2, 3, 4]],
    ['A [1[9]2]. B [1[9[9]0]]. C', 'A. B [1]. C', [1]],
    ['A [x], [see x], [ x', 'A [x], [see x], [ x', []],
    ['Great![1] Fine!', 'Great![1] Fine!', [1]],
  ])('%j cites as %j', (text, shown, cited) => {
    const { rule, ...result } = guarded(units(text));
    expect(rule).toBeUndefined();
    expect(result).toMatchObject({ shown, cited });
  });

  test('what cannot be seen is left out, and emoji keep what joins them', () => {
    expect(guarded(units('a\u200bb\u00ad c\u202e \u0007d 👩‍💻 ✔️ नमस्ते')).shown).toBe(
      'ab c d 👩‍💻 ✔️ नमस्ते',
    );
  });

  test('any text, cut anywhere, comes out the same and well formed', () => {
    fc.assert(
      fc.property(chunked(fc.string({ unit: 'binary', maxLength: 300 })), (chunks) => {
        const { prefixes, shown } = guarded(chunks);
        expect(shown).toBe(guarded([chunks.join('')]).shown);
        expect(prefixes.every((prefix) => prefix.isWellFormed())).toBe(true);
      }),
    );
  });

  test.each(['a', 'a@', 'a.', '@', '1-', '-', '\n'])(
    '20,000 characters of %j that the customer wrote take linear time',
    (piece) => {
      const customerText = piece.repeat(20_000 / piece.length);
      const began = performance.now();
      createAnswerGuard({
        ...{ passages: [], allowedUrls: [], instructions: '', canary: '' },
        ...{ customerText: `${customerText} 1`, lengthMax: 100 },
      });
      // A fiftieth of a second here; what was quadratic took up to two.
      expect(performance.now() - began).toBeLessThan(400);
    },
  );

  test.each([
    'plain words ',
    '[',
    '[9]',
    '\n',
    'a',
    'we ',
    'we will ',
    'our team ',
    'your refund was ',
    'you will get ',
    'a hundred ',
    '< ',
    ': / ',
    '😀',
  ])('50,000 characters of %j take linear time', (piece) => {
    const guard = newGuard(1_000_000);
    const began = performance.now();
    for (const unit of units(piece.repeat(Math.floor(50_000 / piece.length)))) guard.push(unit);
    guard.end();
    // A quarter of a second here; quadratic work would take minutes.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
