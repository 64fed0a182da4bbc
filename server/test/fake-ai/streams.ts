import { fakeOrganizationId, type Exchange } from './exchange.ts';
import { completes, fails, type Scenario, type Scenarios } from './scenario.ts';

const hello = 'ANSWER\nHello there.';
const frameBytes = 2_097_152;

/** A stream that is written from a list of frames. */
const stream = (
  about: string,
  expected: Scenario['expected'],
  frames: (exchange: Exchange) => (string | Uint8Array)[],
): Scenario => ({ about, expected, reply: (exchange) => exchange.writeAll(frames(exchange)) });

/** Writes the pieces so that each leaves on its own. */
async function writeApart(exchange: Exchange, pieces: Iterable<Uint8Array>): Promise<void> {
  for (const piece of pieces) {
    await exchange.write(piece);
    const delayMs = exchange.number('delay', 0);
    await (delayMs > 0 ? exchange.sleep(delayMs) : exchange.flush());
  }
}

function* cut(bytes: Uint8Array, length: number): Iterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += length)
    yield bytes.subarray(start, start + length);
}

function errorFrame(status: number): string {
  const message = `Upstream failed for organization \`${fakeOrganizationId}\`.`;
  const error = { message, type: 'server_error', code: 'upstream_failed', status_code: status };
  return `event: error\ndata: ${JSON.stringify({ error })}\n\n`;
}

/** What a client must put up with: unusual, but the answer is whole. */
export const tolerableScenarios: Scenarios = {
  reasoning: stream('reasoning although nobody wants it', completes(hello), (exchange) => {
    const [role, ...rest] = exchange.answerFrames(hello);
    const thought = exchange.frameOf({
      delta: { reasoning: 'SECRET', reasoning_content: 'SECRET' },
    });
    return [role ?? '', thought, ...rest];
  }),
  'tool-calls': stream('tool_calls beside the text', completes(hello), (exchange) => {
    const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'refund' } };
    const [role, ...rest] = exchange.answerFrames(hello);
    return [role ?? '', exchange.frameOf({ delta: { tool_calls: [call] } }), ...rest];
  }),
  bytes: {
    about: 'one byte at a time, every `delay` ms (0)',
    expected: completes('ANSWER\nGrüße 😀.'),
    reply: (exchange) => {
      const bytes = Buffer.from(exchange.answerFrames('ANSWER\nGrüße 😀.').join(''));
      return writeApart(exchange, cut(bytes, 1));
    },
  },
  'utf8-split': {
    about: 'writes that end inside a character',
    expected: completes('ANSWER\n😀😀😀'),
    reply: async (exchange) => {
      const bytes = Buffer.from(exchange.answerFrames('ANSWER\n😀😀😀').join(''));
      const inside = bytes.indexOf('😀') + 2;
      await writeApart(exchange, [bytes.subarray(0, inside), bytes.subarray(inside)]);
    },
  },
  'surrogate-split': stream('a pair in two deltas', completes('ANSWER\n😀!'), (exchange) => [
    ...exchange.beginFrames('ANSWER\n'),
    ...['\uD83D', '\uDE00!'].map(exchange.textFrame),
    exchange.finishFrame(),
    exchange.doneFrame,
  ]),
  'lone-surrogate': stream('halves that stay alone', completes('a\uFFFDb\uFFFD'), (exchange) => [
    ...['a\uDE00', 'b', '\uD83D'].map(exchange.textFrame),
    exchange.finishFrame(),
    exchange.doneFrame,
  ]),
  nul: stream('U+0000 in the text', completes('ab'), (exchange) => [
    ...['a\0', '\0', 'b'].map(exchange.textFrame),
    exchange.finishFrame(),
    exchange.doneFrame,
  ]),
  crlf: {
    about: 'CRLF line ends, some cut between the two',
    expected: completes(hello),
    reply: (exchange) => {
      const text = exchange.answerFrames(hello).join('').replaceAll('\n', '\r\n');
      return writeApart(
        exchange,
        text.split(/(?<=\r)/).map((piece) => Buffer.from(piece)),
      );
    },
  },
  comments: stream('comments and unknown fields between frames', completes(hello), (exchange) =>
    exchange
      .answerFrames(hello)
      .flatMap((frame) => [': keep-alive\n\n', `id: 7\nfoo: bar\n${frame}`]),
  ),
  'no-done': stream('the end without [DONE]', completes(hello), (exchange) =>
    exchange.answerFrames(hello).slice(0, -1),
  ),
  'no-blank-line': stream('the end without [DONE] and blank line', completes(hello), (exchange) => [
    ...exchange.beginFrames(hello),
    exchange.finishFrame().trimEnd(),
  ]),
  'usage-chunk': stream(
    'usage in a chunk of its own, choices: []',
    completes(hello),
    (exchange) => [
      ...exchange.beginFrames(hello),
      exchange.frameOf({ finishReason: 'stop', extra: { usage: null } }),
      exchange.frameOf({ choices: [], extra: { usage: exchange.usage } }),
      exchange.doneFrame,
    ],
  ),
  'no-usage': stream('no usage at all', completes(hello, { withoutUsage: true }), (exchange) => [
    ...exchange.beginFrames(hello),
    exchange.frameOf({ finishReason: 'stop' }),
    exchange.doneFrame,
  ]),
  'usage-in-x-groq': stream('usage in x_groq only', completes(hello), (exchange) => [
    ...exchange.beginFrames(hello),
    exchange.frameOf({ finishReason: 'stop', extra: { x_groq: { usage: exchange.usage } } }),
    exchange.doneFrame,
  ]),
  'finish-with-content': stream(
    'finish_reason beside the last word',
    completes(hello),
    (exchange) => [
      ...exchange.beginFrames('ANSWER\nHello'),
      exchange.frameOf({
        delta: { content: ' there.' },
        finishReason: 'stop',
        extra: { usage: exchange.usage },
      }),
      exchange.doneFrame,
    ],
  ),
  length: stream(
    'cut off by the token limit',
    completes(hello, { finishReason: 'length' }),
    (exchange) => [
      ...exchange.beginFrames(hello),
      exchange.finishFrame('length'),
      exchange.doneFrame,
    ],
  ),
  'content-filter': stream(
    'an unknown finish_reason',
    completes(hello, { finishReason: 'other' }),
    (exchange) => [
      ...exchange.beginFrames(hello),
      exchange.finishFrame('content_filter'),
      exchange.doneFrame,
    ],
  ),
  'open-after-finish': {
    about: 'neither [DONE] nor the end after finish_reason',
    expected: completes(hello),
    reply: async (exchange) => {
      await exchange.writeAll(exchange.answerFrames(hello).slice(0, -1));
      await exchange.stall();
    },
  },
  'open-after-done': {
    about: '[DONE], but the connection stays open',
    expected: completes(hello),
    reply: async (exchange) => {
      await exchange.writeAll(exchange.answerFrames(hello));
      await exchange.stall();
    },
  },
};

/** Streams under 200 that are no answer. */
export const brokenScenarios: Scenarios = {
  'error-event': stream(
    '`event: error` with status_code `status` (500) after text, then the end',
    fails('unavailable', { text: hello, status: 500, code: 'upstream_failed' }),
    (exchange) => [...exchange.beginFrames(hello), errorFrame(exchange.number('status', 500))],
  ),
  'error-event-first': stream(
    '`event: error` with status_code `status` (500) before any text, then the end',
    fails('unavailable', { status: 500, code: 'upstream_failed' }),
    (exchange) => [exchange.roleFrame(), errorFrame(exchange.number('status', 500)).trimEnd()],
  ),
  'error-event-400': stream(
    '`event: error` with status_code 400 before any text',
    fails('invalid', { status: 400 }),
    (exchange) => [exchange.roleFrame(), errorFrame(400)],
  ),
  'error-event-text': stream('`event: error` with plain words', fails('unavailable'), () => [
    'event: error\ndata: overloaded\n\n',
  ]),
  'error-frame': stream(
    'an error as a string in a plain frame',
    fails('unavailable'),
    (exchange) => [exchange.roleFrame(), 'data: {"error":"overloaded"}\n\n'],
  ),
  'x-groq-error': stream(
    "the end announced by x_groq's error",
    fails('unavailable', { text: hello }),
    (exchange) => [
      ...exchange.beginFrames(hello),
      exchange.frameOf({ extra: { x_groq: { error: 'over_capacity' } } }),
    ],
  ),
  'early-eof': stream(
    'the end after text, without finish_reason',
    fails('unavailable', { text: hello }),
    (exchange) => exchange.beginFrames(hello),
  ),
  'early-eof-first': stream('the end before any text', fails('unavailable'), (exchange) => [
    exchange.roleFrame(),
  ]),
  'early-eof-in-frame': stream(
    'the end inside a frame',
    fails('unavailable', { text: hello }),
    (exchange) => [...exchange.beginFrames(hello), exchange.textFrame('lost').slice(0, 60)],
  ),
  'done-early': stream(
    '[DONE] without finish_reason',
    fails('unavailable', { text: hello }),
    (exchange) => [...exchange.beginFrames(hello), exchange.doneFrame],
  ),
  cut: {
    about: 'the socket destroyed after text',
    expected: fails('unavailable', { text: hello, textMayBeShort: true }),
    reply: async (exchange) => {
      await exchange.writeAll(exchange.beginFrames(hello));
      await exchange.flush();
      exchange.cut();
    },
  },
  'cut-first': {
    about: 'the socket destroyed before the reply',
    expected: fails('unavailable'),
    reply: ({ cut }) => cut(),
  },
  'stall-first': {
    about: 'nothing at all, not even headers',
    expected: fails('timed-out'),
    reply: ({ stall }) => stall(),
  },
  'stall-body': {
    about: 'headers, and then nothing',
    expected: fails('timed-out'),
    reply: ({ open, stall }) => {
      open();
      return stall();
    },
  },
  'stall-within': {
    about: 'text, and then nothing',
    expected: fails('timed-out', { text: hello }),
    reply: async (exchange) => {
      await exchange.writeAll(exchange.beginFrames(hello));
      await exchange.stall();
    },
  },
  empty: stream('a finish without any text', fails('invalid'), (exchange) =>
    exchange.answerFrames(''),
  ),
  blank: stream('nothing but white space', fails('invalid'), (exchange) => [
    ...[' ', '\n'].map(exchange.textFrame),
    exchange.finishFrame(),
    exchange.doneFrame,
  ]),
  'length-empty': stream('all tokens used before the text', fails('invalid'), (exchange) => [
    exchange.roleFrame(),
    exchange.finishFrame('length'),
    exchange.doneFrame,
  ]),
  'huge-frame': stream('a frame of 2 MiB', fails('invalid'), (exchange) => [
    exchange.textFrame('x'.repeat(frameBytes)),
    exchange.finishFrame(),
  ]),
  garbage: stream('a frame that is not JSON', fails('invalid'), (exchange) => [
    exchange.roleFrame(),
    'data: {"choices":[{]\n\n',
  ]),
};
