import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createEventParser, type ServerEvent } from '../src/event-stream.ts';

/** What the parser makes of the pieces, in bytes as they come over a socket. */
function parse(pieces: Iterable<Uint8Array>): ServerEvent[] {
  const parser = createEventParser();
  const decoder = new TextDecoder();
  return [...pieces].flatMap((piece) => parser.push(decoder.decode(piece, { stream: true })));
}

const parseText = (...pieces: string[]): ServerEvent[] => {
  const parser = createEventParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

/** Cuts bytes at the given places, wherever those are. */
function* cutAt(bytes: Uint8Array, places: number[]): Iterable<Uint8Array> {
  const sorted = places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b);
  let from = 0;
  for (const to of [...sorted, bytes.length]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}

const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
const line = fc.string({ unit: 'binary' }).map((text) => text.replaceAll(/[\r\n\0]/g, '·'));
const sentEvent = fc.record({
  lines: fc.array(line, { minLength: 1, maxLength: 4 }),
  id: fc.option(line),
  event: fc.option(line),
  comment: fc.option(line),
  lineEnd,
  /** The standard takes away one space behind the colon, when there is one. */
  space: fc.boolean(),
});
type SentEvent = typeof sentEvent extends fc.Arbitrary<infer Value> ? Value : never;

function encode({ lines, id, event, comment, lineEnd, space }: SentEvent): string {
  const field = (name: string, value: string) =>
    `${name}:${space || value.startsWith(' ') ? ' ' : ''}${value}${lineEnd}`;
  return [
    comment === null ? '' : `:${comment}${lineEnd}`,
    id === null ? '' : field('id', id),
    event === null ? '' : field('event', event),
    ...lines.map((text) => field('data', text)),
    lineEnd,
  ].join('');
}

function expected(events: SentEvent[]): ServerEvent[] {
  let id = '';
  return events.map((event) => {
    id = event.id ?? id;
    return { event: event.event || 'message', data: event.lines.join('\n'), id };
  });
}

describe('the event parser', () => {
  it('gives back what was encoded, under any chunking of the bytes', () => {
    fc.assert(
      fc.property(fc.array(sentEvent), fc.array(fc.nat(), { maxLength: 40 }), (events, places) => {
        const bytes = new TextEncoder().encode(events.map(encode).join(''));
        expect(parse(cutAt(bytes, places))).toEqual(expected(events));
      }),
      { numRuns: 500 },
    );
  });

  it('gives nothing of an event that is cut off, wherever that is', () => {
    fc.assert(
      fc.property(fc.array(sentEvent, { minLength: 1 }), fc.nat(), (events, place) => {
        // Only LF: a cut between CR and LF is behind the end of the event.
        const text = events.map((event) => encode({ ...event, lineEnd: '\n' })).join('');
        const cut = text.slice(0, place % text.length);
        const whole = parseText(cut);
        expect(whole).toEqual(expected(events).slice(0, whole.length));
        expect(whole.length).toBeLessThan(events.length);
      }),
    );
  });

  it('takes a stream byte by byte', () => {
    const bytes = new TextEncoder().encode(
      'id: 1\r\ndata: Grüße 😀\r\n\r\n: hm\r\n\r\ndata: b\r\n\r\n',
    );
    expect(parse([...bytes].map((byte) => Uint8Array.of(byte)))).toEqual([
      { event: 'message', data: 'Grüße 😀', id: '1' },
      { event: 'message', data: 'b', id: '1' },
    ]);
  });

  it('does not take a CRLF that is cut in two for an empty line', () => {
    expect(parseText('data: a\r', '\ndata: b\r', '\n\r', '\n')).toEqual([
      { event: 'message', data: 'a\nb', id: '' },
    ]);
  });

  it('skips comments, unknown fields and events without data', () => {
    expect(parseText(': keep-alive\n\nfoo: bar\n\nevent: ping\n\ndata\n\n')).toEqual([
      { event: 'message', data: '', id: '' },
    ]);
  });

  it('remembers the delay that retry: asks for, when it is a number', () => {
    const parser = createEventParser();
    expect(parser.retryMs).toBeUndefined();
    parser.push('retry: 2000\n\n');
    parser.push('retry: soon\n\n');
    expect(parser.retryMs).toBe(2_000);
  });

  it('ignores an id with U+0000', () => {
    expect(parseText('id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n').map(({ id }) => id)).toEqual([
      '1',
      '1',
    ]);
  });
});
