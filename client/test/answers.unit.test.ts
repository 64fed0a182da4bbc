import { describe, expect, it } from 'vitest';
import { reconnectDelayMs } from '../src/connection.ts';
import { collectAnswer, createClient, type AnswerPart } from '../src/client.ts';
import { ApiError, ConnectionError } from '../src/errors.ts';
import { createFakeFetch, done, frame, refusal, streamOf, type FakeReply } from './fake-fetch.ts';

const retry = 'retry: 1\n\n';
const start = (answerId: string, at: number | string = 0) =>
  retry +
  frame(
    {
      type: 'start',
      messageId: `m-${answerId}`,
      messageMetadata: { ticketId: 't', answerId, mode: 'answer' },
    },
    `${answerId}.${at}`,
  );
const sources = frame({
  type: 'data-sources',
  id: 'sources',
  data: { items: [{ n: 1, articleId: 'x', version: 1, title: 'Returns', heading: 'Shoes' }] },
});
const writing = frame({ type: 'data-status', data: { phase: 'writing' }, transient: true });
const textStart = frame({ type: 'text-start', id: 'text' });
const textEnd = frame({ type: 'text-end', id: 'text' });
const delta = (text: string, id: string) =>
  frame({ type: 'text-delta', id: 'text', delta: text }, id);
const citation = frame({
  type: 'data-citation',
  id: 'citation-1',
  data: { n: 1, articleId: 'x', quote: 'You have 30 days.' },
});
const metadata = (answerId: string, state = 'completed') =>
  frame({
    type: 'message-metadata',
    messageMetadata: { ticketId: 't', answerId, mode: 'answer', state, verdict: 'ANSWER' },
  });
const finish = (answerId: string) =>
  frame({ type: 'finish', finishReason: 'stop' }, `${answerId}.end`);

function streamFrom(script: FakeReply[], options: object = {}) {
  const { fetch, requests } = createFakeFetch(...script);
  const client = createClient({ baseUrl: '', token: 't', fetch, streamTimeoutMs: 200 });
  return { stream: client.answers.stream('t', options), requests };
}

async function read(stream: AsyncIterable<AnswerPart>): Promise<AnswerPart[]> {
  const parts: AnswerPart[] = [];
  for await (const part of stream) parts.push(part);
  return parts;
}

const typesOf = (parts: AnswerPart[]): string[] => parts.map(({ type }) => type);

describe('a stream', () => {
  it('gives all parts and ends', async () => {
    const { stream, requests } = streamFrom([
      streamOf(
        start('a') + sources + textStart + delta('Hi', 'a.2') + textEnd + finish('a') + done,
      ),
    ]);
    const types = typesOf(await read(stream));
    expect(types).toEqual([
      'start',
      'data-sources',
      'text-start',
      'text-delta',
      'text-end',
      'finish',
    ]);
    expect(stream.lastEventId).toBe('a.end');
    expect(requests).toMatchObject([
      { url: '/api/v1/tickets/t/ai-response', headers: { accept: 'text/event-stream' } },
    ]);
  });

  it('goes on behind the last whole frame, and repeats nothing', async () => {
    const { stream, requests } = streamFrom([
      streamOf(
        start('a') +
          writing +
          sources +
          textStart +
          delta('You have', 'a.8') +
          delta(' 30', 'a.11').slice(0, -1),
        'breaks',
      ),
      streamOf(
        start('a', 8) + writing + sources + delta(' 30 days', 'a.16') + textEnd + citation,
        'ends',
      ),
      streamOf(start('a', 16) + sources + textEnd + citation + metadata('a') + finish('a') + done),
    ]);
    const parts = await read(stream);
    expect(typesOf(parts)).toEqual([
      'start',
      'data-status',
      'data-sources',
      'text-start',
      'text-delta',
      'text-delta',
      'text-end',
      'data-citation',
      'message-metadata',
      'finish',
    ]);
    expect(requests.map(({ headers }) => headers['last-event-id'])).toEqual([
      undefined,
      'a.8',
      'a.16',
    ]);
  });

  it('collects to the whole answer, once, when it begins anew', async () => {
    const { stream } = streamFrom([
      streamOf(start('a') + sources + textStart + delta('Old words', 'a.9'), 'breaks'),
      streamOf(
        start('b') +
          textStart +
          delta('New words [1]', 'b.13') +
          textEnd +
          citation +
          metadata('b') +
          finish('b') +
          done,
      ),
    ]);
    expect(await collectAnswer(stream)).toEqual({
      answerId: 'b',
      text: 'New words [1]',
      citations: [{ n: 1, articleId: 'x', quote: 'You have 30 days.' }],
      sources: [],
      handoff: null,
      state: 'completed',
      verdict: 'ANSWER',
      errorText: null,
    });
  });

  it('takes the same answer from the start when the server does', async () => {
    const { stream } = streamFrom([
      streamOf(start('a') + textStart + delta('Hi', 'a.2'), 'breaks'),
      streamOf(
        start('a') +
          textStart +
          delta('Hi there', 'a.8') +
          textEnd +
          metadata('a') +
          finish('a') +
          done,
      ),
    ]);
    expect((await collectAnswer(stream)).text).toBe('Hi there');
  });

  it('collects what it says when a person will reply', async () => {
    const handoff = { mode: 'now', reason: 'assistant-paused' };
    const { stream } = streamFrom([
      streamOf(
        frame({
          type: 'start',
          messageMetadata: { ticketId: 't', answerId: null, mode: 'handoff' },
        }) +
          frame({ type: 'data-handoff', id: 'handoff', data: handoff }) +
          frame({ type: 'finish', finishReason: 'stop' }) +
          done,
      ),
    ]);
    expect(await collectAnswer(stream)).toMatchObject({ text: '', state: null, handoff });
  });

  it('tells of an answer that broke off', async () => {
    const { stream } = streamFrom([
      streamOf(
        start('a') +
          textStart +
          delta('Hi', 'a.2') +
          textEnd +
          metadata('a', 'incomplete') +
          frame({ type: 'error', errorText: 'Cut short.' }, 'a.end') +
          done,
      ),
    ]);
    expect(await collectAnswer(stream)).toMatchObject({
      state: 'incomplete',
      errorText: 'Cut short.',
    });
  });

  it('is over with its last part, whatever happens to the connection then', async () => {
    const { stream, requests } = streamFrom([streamOf(start('a') + finish('a'), 'breaks')]);
    expect(typesOf(await read(stream))).toEqual(['start', 'finish']);
    expect(requests).toHaveLength(1);
  });

  it('is empty when there is nothing to stream', async () => {
    const { stream } = streamFrom([new Response(null, { status: 204 })]);
    expect(await read(stream)).toEqual([]);
  });

  it('goes on for a reader that comes back with the id of an earlier one', async () => {
    const { stream, requests } = streamFrom(
      [streamOf(start('a', 2) + delta(' there', 'a.8') + textEnd + finish('a') + done)],
      { lastEventId: 'a.2' },
    );
    expect(typesOf(await read(stream))).toEqual(['start', 'text-delta', 'text-end', 'finish']);
    expect(requests[0]?.headers['last-event-id']).toBe('a.2');
  });

  it('connects anew when the connection has fallen silent', async () => {
    const { stream, requests } = streamFrom([
      streamOf(start('a') + textStart + delta('Hi', 'a.2'), 'is silent'),
      streamOf(start('a', 2) + textEnd + finish('a') + done),
    ]);
    expect((await collectAnswer(stream)).text).toBe('Hi');
    expect(requests).toHaveLength(2);
  });

  it('connects anew while the server is away or busy', async () => {
    const { stream } = streamFrom([
      streamOf(start('a'), 'breaks'),
      new TypeError('fetch failed'),
      refusal(503, 'shutting-down', { headers: { 'retry-after': '0' } }),
      refusal(429, 'too-many-streams'),
      new Response('<h1>Bad Gateway</h1>', { status: 502 }),
      streamOf(start('a') + finish('a') + done),
    ]);
    expect(typesOf(await read(stream))).toEqual(['start', 'finish']);
  });

  it('gives up after eight failures without anything new', async () => {
    const { stream, requests } = streamFrom(
      Array.from({ length: 9 }, () => streamOf(start('a') + sources, 'breaks')),
    );
    const error = await read(stream).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ConnectionError);
    expect((error as Error).message).toMatch(/broke 8 times without anything new/);
    // The first brought something new.
    expect(requests).toHaveLength(8);
  });

  it.each([
    [404, 'not-found'],
    [409, 'assistant-paused'],
    [400, 'invalid-last-event-id'],
    [401, 'unauthenticated'],
  ])('stops at once at %i %s', async (status, code) => {
    const { stream, requests } = streamFrom([
      streamOf(start('a'), 'breaks'),
      refusal(status, code),
    ]);
    await expect(read(stream)).rejects.toMatchObject({ name: 'ApiError', status, code });
    expect(requests).toHaveLength(2);
  });

  it('stops at what is no stream', async () => {
    const { stream } = streamFrom([new Response('<h1>Hello</h1>')]);
    await expect(read(stream)).rejects.toMatchObject({ code: 'unexpected-reply' });
    const { stream: nonsense } = streamFrom([streamOf('data: {nonsense\n\n')]);
    await expect(read(nonsense)).rejects.toMatchObject({ code: 'unexpected-reply' });
  });

  it('closes its connection when the reader leaves', async () => {
    let signal: AbortSignal | undefined;
    const body = streamOf(start('a') + textStart, 'is silent');
    const { stream } = streamFrom([(given) => body((signal = given))]);
    for await (const part of stream) if (part.type === 'text-start') break;
    expect(signal?.aborted).toBe(true);
  });

  it('throws the reason of its signal, at once', async () => {
    const leaving = new AbortController();
    const { stream } = streamFrom([streamOf(start('a'), 'is silent')], { signal: leaving.signal });
    setTimeout(() => leaving.abort(new Error('enough')), 20);
    await expect(read(stream)).rejects.toThrow('enough');
  });
});

it('waits at random within what retry: says, twice as long with every failure', () => {
  const broken = new ConnectionError('broken');
  expect([1, 2, 3].map((failures) => reconnectDelayMs(broken, failures, 2_000, 1))).toEqual([
    2_000, 4_000, 8_000,
  ]);
  expect(reconnectDelayMs(broken, 7, 2_000, 1)).toBe(30_000);
  expect(reconnectDelayMs(broken, 1, 2_000, 0)).toBe(0);
  const busy = new ApiError({
    message: '',
    code: 'too-many-streams',
    status: 429,
    requestId: '',
    retryAfterMs: 5_000,
  });
  expect(reconnectDelayMs(busy, 1, 2_000, 0.5)).toBe(6_000);
});
