import { gzipSync } from 'node:zlib';
import type { Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createOutbound, type OutboundResult } from './outbound.ts';
import { reply, startReceiver, type Answer, type Receiver } from './test-receiver.ts';

const responseBytesMax = 65_536;
const request = { headers: { authorization: 'secret' }, body: '{"word":"secret"}' };
const ok = 'HTTP/1.1 200 OK\r\n';

let receiver: Receiver | undefined;
afterEach(() => receiver?.close());

/** What comes of a POST to such a receiver, which afterwards must be left alone. */
async function post(
  answer: Answer,
  { timeoutMs = 20_000, signal }: { timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<OutboundResult> {
  receiver = await startReceiver(answer);
  const policy = { requireHttps: true, allow: new Set([receiver.hostAndPort]) };
  const outbound = createOutbound({ policy, timeoutMs, responseBytesMax });
  const result = await outbound.post(`${receiver.url}/secret?key=secret`, { ...request, signal });
  await receiver.isAlone();
  if (result.kind === 'failure') expect(result.message).not.toContain('secret');
  return result;
}

/** Writes for as long as the other side reads, and counts. */
function pour(socket: Socket, next: () => string | Buffer | undefined): () => number {
  let bytes = 0;
  const write = () => {
    for (let piece = next(); piece !== undefined && !socket.destroyed; piece = next()) {
      bytes += piece.length;
      if (!socket.write(piece)) return void socket.once('drain', write);
    }
    socket.end();
  };
  write();
  return () => bytes;
}

describe('a receiver that takes its time', () => {
  const timedOut = { kind: 'failure', reason: 'timeout', message: 'not over after 300 ms' };

  test('and never answers, times out', async () => {
    const result = await post(() => undefined, { timeoutMs: 300 });
    expect(result).toMatchObject(timedOut);
    expect(result.durationMs).toBeGreaterThanOrEqual(299);
  });

  test('and stops in the middle of its body, times out', async () => {
    const answer: Answer = (socket) => void socket.write(`${ok}content-length: 9\r\n\r\nhal`);
    expect(await post(answer, { timeoutMs: 300 })).toMatchObject(timedOut);
  });

  test.each(['', `${ok}content-length: 60000\r\n\r\n`, `${ok}x-long: `])(
    'and sends a byte at a time after %j, times out: progress buys nothing',
    async (start) => {
      const answer: Answer = (socket) => {
        socket.write(start);
        const drip = setInterval(() => socket.write('H'), 5);
        socket.once('close', () => clearInterval(drip));
      };
      // A drip that is no HTTP at all is noticed before its time is over.
      const reasons = start === '' ? ['protocol', 'timeout'] : ['timeout'];
      const result = await post(answer, { timeoutMs: 300 });
      expect(reasons).toContain(result.kind === 'failure' && result.reason);
    },
  );

  test('and is left by the caller, is abandoned at once', async () => {
    const caller = new AbortController();
    const answer: Answer = (socket) => {
      socket.write(`${ok}content-length: 9\r\n\r\nhal`);
      caller.abort(new Error('secret'));
    };
    const result = await post(answer, { signal: caller.signal });
    expect(result).toMatchObject({ kind: 'failure', reason: 'aborted' });
  });
});

describe('a body', () => {
  test('of exactly the limit is read to its end', async () => {
    const result = await post(reply('x'.repeat(responseBytesMax)));
    expect(result).toMatchObject({ truncated: false, body: 'x'.repeat(responseBytesMax) });
  });

  test('of one byte more is cut', async () => {
    const result = await post(reply('x'.repeat(responseBytesMax + 1)));
    expect(result).toMatchObject({ truncated: true, body: 'x'.repeat(responseBytesMax) });
  });

  test.each([
    ['with its length', 'content-length: 10737418240'],
    ['without a length', 'x-length: none'],
  ])('of gigabytes, %s, is cut, and its rest is not taken', async (_how, header) => {
    const piece = Buffer.alloc(65_536, 'x');
    let poured: (() => number) | undefined;
    const result = await post((socket) => {
      let pieces = 0;
      socket.write(`${ok}${header}\r\n\r\n`);
      // 1 GiB and more.
      poured = pour(socket, () => (pieces++ < 17_000 ? piece : undefined));
    });
    expect(result).toMatchObject({ status: 200, truncated: true });
    expect(result).toMatchObject({ body: 'x'.repeat(responseBytesMax) });
    // What the buffers of both sockets hold, and far from all.
    expect(poured?.()).toBeLessThan(64 * 1_048_576);
  });

  test('in endless chunks is cut', async () => {
    const result = await post((socket) => {
      socket.write(`${ok}transfer-encoding: chunked\r\n\r\n`);
      pour(socket, () => '2\r\nab\r\n');
    });
    expect(result).toMatchObject({ truncated: true, body: 'ab'.repeat(responseBytesMax / 2) });
  });

  test('that is cut inside a character loses that character only', async () => {
    const result = await post(reply(`x${'ü'.repeat(40_000)}`));
    expect(result).toMatchObject({ body: `x${'ü'.repeat(32_767)}` });
  });

  test('is well-formed text without NUL, whatever came', async () => {
    const body = Buffer.from([0x61, 0, 0xff, 0xed, 0xa0, 0x80, 0xc3, 0x62]);
    const result = await post((socket) => {
      socket.write(`${ok}content-length: ${body.length}\r\n\r\n`);
      socket.end(body);
    });
    expect(result).toMatchObject({ body: 'a\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDb' });
  });

  test('that is compressed stays as it is, so it cannot grow', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    const result = await post((socket) => {
      socket.write(`${ok}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
      socket.end(bomb);
    });
    expect(result).toMatchObject({ status: 200 });
    expect(result.kind === 'response' && result.body.length).toBeLessThanOrEqual(bomb.length);
    expect(receiver?.received().toLowerCase()).toContain('accept-encoding: identity\r\n');
  });

  test('may be missing', async () => {
    const result = await post(reply('', 'HTTP/1.1 204 No Content'));
    expect(result).toMatchObject({ status: 204, body: '', truncated: false });
  });
});

describe('a connection that breaks', () => {
  test.each<[string, Answer]>([
    ['before the response', (socket) => void socket.end()],
    ['hard before the response', (socket) => void socket.resetAndDestroy()],
    ['inside the headers', (socket) => void socket.end(`${ok}x-half: a`)],
    ['inside the body', (socket) => void socket.end(`${ok}content-length: 1000\r\n\r\nhalf`)],
    [
      'hard inside the body',
      (socket) => {
        socket.write(`${ok}content-length: 1000\r\n\r\nhalf`, () => socket.resetAndDestroy());
      },
    ],
    [
      'inside a chunk',
      (socket) => void socket.end(`${ok}transfer-encoding: chunked\r\n\r\n10\r\nhalf`),
    ],
  ])('%s is a reset', async (_when, answer) => {
    expect(await post(answer)).toMatchObject({ kind: 'failure', reason: 'reset' });
  });

  test('where the response says that it ends there is a whole one', async () => {
    expect(await post(reply('all of it', 'HTTP/1.1 200 OK'))).toMatchObject({ body: 'all of it' });
  });
});

describe('a response that is not what it says', () => {
  test('and is longer than its length, ends where it said', async () => {
    const result = await post(reply(`ok${'x'.repeat(500)}`, `${ok}content-length: 2`));
    expect(result).toMatchObject({ status: 200, body: 'ok', truncated: false });
  });

  test.each([
    ['garbage', 'hello, this is no HTTP\r\n\r\n'],
    ['another protocol', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/2', '\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x80'],
    ['two lengths', `${ok}content-length: 2\r\ncontent-length: 3\r\n\r\nok`],
    ['a length that is none', `${ok}content-length: -1\r\n\r\nok`],
    [
      'a length beside chunks',
      `${ok}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a chunk of no size', `${ok}transfer-encoding: chunked\r\n\r\nzz\r\nok\r\n`],
    ['a NUL in a header', `${ok}x-a: \0b\r\n\r\n`],
    ['a header without a name', `${ok}: b\r\n\r\n`],
    ['one header of 20 kB', `${ok}x-long: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['an upgrade', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: a\r\nconnection: upgrade\r\n\r\n'],
    ['a 100 that nobody asked for', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('%s is a breach of the protocol', async (_what, text) => {
    const result = await post((socket) => void socket.write(text));
    expect(result).toMatchObject({ kind: 'failure', reason: 'protocol' });
  });

  test('headers without an end are given up', async () => {
    let poured: (() => number) | undefined;
    const result = await post((socket) => {
      let line = 0;
      socket.write(ok);
      poured = pour(socket, () => `x-${line++}: ${'y'.repeat(100)}\r\n`);
    });
    expect(result).toMatchObject({ kind: 'failure', reason: 'protocol' });
    expect(poured?.()).toBeLessThan(64 * 1_048_576);
  });

  test('trailers without an end are given up', async () => {
    const result = await post((socket) => {
      socket.write(`${ok}transfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n`);
      pour(socket, () => `x-a: ${'y'.repeat(100)}\r\n`);
    });
    expect(result).toMatchObject({ kind: 'failure', reason: 'protocol' });
  });

  test('hints before the response are passed over', async () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n';
    const result = await post((socket) => {
      socket.end(`${hint}${hint}${ok}content-length: 2\r\n\r\nok`);
    });
    expect(result).toMatchObject({ status: 200, headers: { 'content-length': '2' }, body: 'ok' });
  });

  test('hints without an end time out', async () => {
    const hint = 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(10);
    const result = await post((socket) => void pour(socket, () => hint), { timeoutMs: 300 });
    expect(result).toMatchObject({ kind: 'failure', reason: 'timeout' });
  });
});

describe('the headers of a response', () => {
  test('have names in lower case, and one value each', async () => {
    const head = `${ok}Retry-After: 5\r\nX-A: 1\r\nx-a: 2\r\n__proto__: p\r\ncontent-length: 0`;
    const result = await post(reply('', head));
    expect(result.kind === 'response' && Object.entries(result.headers)).toEqual([
      ['retry-after', '5'],
      ['x-a', '1, 2'],
      ['__proto__', 'p'],
      ['content-length', '0'],
    ]);
  });

  test('are no more than 64', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => `x-${i}: a\r\n`).join('');
    const result = await post(reply('', `${ok}${lines}content-length: 0`));
    expect(result.kind === 'response' && Object.keys(result.headers)).toHaveLength(64);
  });
});
