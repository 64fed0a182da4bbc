import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  fakeAiScenarios,
  fakeOrganizationId,
  startFakeAi,
  type FakeAi,
} from '../../../test/fake-ai.ts';
import { createOpenAiCompatibleProvider } from './openai-compatible.ts';
import { AiError, type AiProvider, type Prompt, type StreamPart } from './provider.ts';

let ai: FakeAi;
beforeAll(async () => {
  ai = await startFakeAi();
});
afterEach(() => ai.reset());
afterAll(() => ai.close());

const passage =
  '<kb-x7 n="1" title="Delivery › By day > at home">Parcels leave on Monday. Then we wait.</kb-x7>';
const prompt: Prompt = {
  messages: [
    { role: 'system', content: 'Answer from the passages.' },
    { role: 'user', content: `${passage}\nWhen does it leave?` },
  ],
  outputTokensMax: 400,
};
const patient = { firstByteMs: 5_000, betweenChunksMs: 5_000, totalMs: 5_000 };

type ProviderOptions = Partial<Parameters<typeof createOpenAiCompatibleProvider>[0]>;

const providerOf = (options: ProviderOptions = {}): AiProvider =>
  createOpenAiCompatibleProvider({
    ...{ name: 'groq', model: 'fake/answer', baseUrl: ai.url, apiKey: 'fake', timeouts: patient },
    ...options,
  });

type Run = { parts: StreamPart[]; text: string; error: unknown };

async function run(provider: AiProvider, signal = new AbortController().signal): Promise<Run> {
  const parts: StreamPart[] = [];
  let error: unknown;
  try {
    for await (const part of provider.stream(prompt, { signal })) parts.push(part);
  } catch (thrown) {
    error = thrown;
  }
  const texts = parts.map((part) => (part.type === 'text-delta' ? part.text : ''));
  return { parts, text: texts.join(''), error };
}

const aiErrorOf = ({ error }: Run): AiError => {
  expect(error).toBeInstanceOf(AiError);
  return error as AiError;
};

async function bodySent(options: ProviderOptions): Promise<Record<string, unknown>> {
  ai.script('answer');
  await run(providerOf(options));
  return (await ai.received()).body;
}

describe('every scenario of the fake', () => {
  for (const [name, { about, expected }] of Object.entries(fakeAiScenarios)) {
    test(`${name} (${about}) is ${expected.outcome}`, async () => {
      const isStall = expected.outcome === 'timed-out';
      const timeouts = isStall ? { ...patient, firstByteMs: 200, betweenChunksMs: 200 } : patient;
      const query = name === 'slow' ? '?delay=1' : '';
      const result = await run(providerOf({ model: `fake/${name}${query}`, timeouts }));

      if (expected.text === undefined) expect(result.text).toMatch(/^ANSWER\n.+\. \[1\]$/);
      else if (expected.textMayBeShort) expect(expected.text).toContain(result.text);
      else expect(result.text).toBe(expected.text);

      if (expected.outcome !== 'completed') {
        expect(result.parts.filter(({ type }) => type === 'end')).toEqual([]);
        const { reason, status, providerCode, retryAfterMs } = aiErrorOf(result);
        expect({ reason, status }).toEqual({ reason: expected.outcome, status: expected.status });
        if (expected.code) expect(providerCode).toBe(expected.code);
        if (expected.retryAfterMs) expect(retryAfterMs).toBe(expected.retryAfterMs);
        return;
      }
      expect(result.error).toBeUndefined();
      expect(result.parts.at(-1)).toEqual({
        type: 'end',
        usage: expected.withoutUsage ? undefined : { inputTokens: 120, outputTokens: 30 },
        finishReason: expected.finishReason,
      });
      expect(result.parts.filter(({ type }) => type === 'end')).toHaveLength(1);
      for (const part of result.parts)
        if (part.type === 'text-delta') expect(part.text).not.toBe('');
    });
  }
});

describe('the request', () => {
  test('a base URL without a path gets the one of its server', async () => {
    const pathOf = async (options: ProviderOptions) => {
      ai.reset();
      await bodySent(options);
      return (await ai.received()).path;
    };
    const elsewhere: ProviderOptions = { name: 'openai-compatible' };
    expect(await pathOf({})).toBe('/openai/v1/chat/completions');
    expect(await pathOf({ baseUrl: `${ai.url}/` })).toBe('/openai/v1/chat/completions');
    expect(await pathOf({ baseUrl: `${ai.url}/openai/v1` })).toBe('/openai/v1/chat/completions');
    expect(await pathOf(elsewhere)).toBe('/v1/chat/completions');
    expect(await pathOf({ ...elsewhere, baseUrl: `${ai.url}/api/v3/` })).toBe(
      '/api/v3/chat/completions',
    );
  });

  test('gpt-oss on Groq thinks little, out of sight, with room to do so', async () => {
    expect(await bodySent({ model: 'openai/gpt-oss-120b' })).toEqual({
      model: 'openai/gpt-oss-120b',
      messages: prompt.messages,
      stream: true,
      max_completion_tokens: 1_024,
      reasoning_effort: 'low',
      include_reasoning: false,
    });
  });

  test('another model on Groq gets no reasoning settings and no stream_options', async () => {
    expect(await bodySent({ model: 'llama-4' })).toEqual({
      model: 'llama-4',
      messages: prompt.messages,
      stream: true,
      max_completion_tokens: 400,
    });
  });

  test('another server gets max_tokens and stream_options, and no reasoning settings', async () => {
    expect(await bodySent({ name: 'openai-compatible', model: 'openai/gpt-oss-20b' })).toEqual({
      model: 'openai/gpt-oss-20b',
      messages: prompt.messages,
      stream: true,
      max_tokens: 400,
      stream_options: { include_usage: true },
    });
  });

  test('carries the key as a bearer token, and nothing when there is no key', async () => {
    await bodySent({ apiKey: 'secret' });
    expect((await ai.received()).headers.authorization).toBe('Bearer secret');
    ai.reset();
    await bodySent({ apiKey: undefined });
    expect((await ai.received()).headers.authorization).toBeUndefined();
  });
});

describe('the stream', () => {
  test('gives text as soon as it is there, before the answer is over', async () => {
    const hold = ai.hold();
    const parts = providerOf().stream(prompt, { signal: new AbortController().signal });
    const iterator = parts[Symbol.asyncIterator]();
    const first = iterator.next();
    // The role, two thoughts, and the first word.
    await hold.step(4);
    expect((await first).value).toEqual({ type: 'text-delta', text: 'ANSWER' });
    const second = iterator.next();
    await hold.step();
    expect((await second).value).toEqual({ type: 'text-delta', text: '\nParcels' });
    hold.release();
    await iterator.return?.();
  });

  test('a reader of ours who takes longer than the pause limit is not a silent provider', async () => {
    const parts: StreamPart[] = [];
    const timeouts = { ...patient, betweenChunksMs: 100 };
    const { signal } = new AbortController();
    for await (const part of providerOf({ timeouts }).stream(prompt, { signal })) {
      if (parts.push(part) === 1) await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(parts.at(-1)?.type).toBe('end');
  });

  test('the whole answer has a limit, however steadily it comes', async () => {
    const timeouts = { ...patient, totalMs: 150 };
    const result = await run(providerOf({ model: 'fake/pace?delay=10&tokens=1000', timeouts }));
    expect(aiErrorOf(result).reason).toBe('timed-out');
    expect(result.text).toMatch(/^ANSWER\n/);
    const request = await ai.received();
    await request.ended;
    expect(request.aborted).toBe(true);
  });

  test('connections are used again after whole replies', async () => {
    const fresh = await startFakeAi();
    const names = ['answer', 'usage-chunk', 'no-done', 'server-error', 'bad-gateway', 'answer'];
    for (const name of names) await run(providerOf({ model: `fake/${name}`, baseUrl: fresh.url }));
    // Two, because the end of a reply may still be on its way when the next request leaves.
    expect(new Set(fresh.requests.map(({ port }) => port)).size).toBeLessThanOrEqual(2);
    await fresh.close();
  });

  test('an unreachable server is unavailable', async () => {
    const gone = await startFakeAi();
    await gone.close();
    const { reason } = aiErrorOf(await run(providerOf({ baseUrl: gone.url })));
    expect(reason).toBe('unavailable');
  });

  test("the provider's own words, the organisation's id among them, are kept for the log", async () => {
    const { message } = aiErrorOf(await run(providerOf({ model: 'fake/rate-limited' })));
    expect(message).toContain(fakeOrganizationId);
  });
});

describe('the caller gives up', () => {
  test('before the start: nothing is sent', async () => {
    const reason = new Error('superseded');
    expect((await run(providerOf(), AbortSignal.abort(reason))).error).toBe(reason);
    expect(ai.requests).toEqual([]);
  });

  for (const name of ['stall-first', 'stall-body', 'stall-within']) {
    test(`during ${name}: its own reason is thrown and the connection is freed`, async () => {
      const controller = new AbortController();
      const reason = new Error('stopped');
      const result = run(providerOf({ model: `fake/${name}` }), controller.signal);
      const request = await ai.received();
      controller.abort(reason);
      expect((await result).error).toBe(reason);
      await request.ended;
      expect(request.aborted).toBe(true);
    });
  }

  test('by leaving the loop: the connection is freed', async () => {
    const { signal } = new AbortController();
    for await (const part of providerOf({ model: 'fake/stall-within' }).stream(prompt, {
      signal,
    })) {
      expect(part.type).toBe('text-delta');
      break;
    }
    const request = await ai.received();
    await request.ended;
    expect(request.aborted).toBe(true);
  });

  test('without taking another part: the connection is freed at once', async () => {
    const controller = new AbortController();
    const parts = providerOf({ model: 'fake/stall-within' }).stream(prompt, controller);
    await parts[Symbol.asyncIterator]().next();
    controller.abort();
    await (
      await ai.received()
    ).ended;
  });
});

describe('check', () => {
  const { signal } = new AbortController();
  const checked = (options: ProviderOptions) => providerOf(options).check({ signal });

  test('finds nothing to change when the model is listed', async () => {
    expect(await checked({ model: 'openai/gpt-oss-120b' })).toBeUndefined();
  });

  test('says to change the model when it is not listed', async () => {
    expect(await checked({ model: 'llama3-70b-8192' })).toMatch(/llama3-70b-8192: change AI_MODEL/);
  });

  test('says which key is refused', async () => {
    const baseUrl = `${ai.url}/fake/invalid-api-key/v1`;
    expect(await checked({ baseUrl })).toMatch(/check GROQ_API_KEY/);
    expect(await checked({ baseUrl, name: 'openai-compatible' })).toMatch(/check OPENAI_API_KEY/);
  });

  test('says to look at the URL when there is no such server, and never the words of a provider', async () => {
    expect(await checked({ baseUrl: `${ai.url}/fake/html-page/v1` })).toMatch(/change AI_MODEL/);
    const limited = await checked({ baseUrl: `${ai.url}/fake/rate-limited/v1` });
    expect(limited).toMatch(/check AI_BASE_URL/);
    expect(limited).not.toContain(fakeOrganizationId);
  });

  test('gives up after the first-byte limit', async () => {
    const baseUrl = `${ai.url}/fake/stall-first/v1`;
    const timeouts = { ...patient, firstByteMs: 50 };
    expect(await checked({ baseUrl, timeouts })).toMatch(/timed-out/);
  });

  test("throws the caller's own reason", async () => {
    const reason = new Error('shutting down');
    const aborted = AbortSignal.abort(reason);
    await expect(providerOf().check({ signal: aborted })).rejects.toBe(reason);
  });
});
