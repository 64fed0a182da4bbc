import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from '../clock.ts';
import { createBreaker } from './breaker.ts';
import { createFailover, type Attempt, type FailoverRequest } from './failover.ts';
import { AiError, type AiErrorReason, type AiProvider, type StreamPart } from './provider.ts';

type Step = AiError | Error | string;

const end: StreamPart = { type: 'end', usage: undefined, finishReason: 'stop' };
const failed = (reason: AiErrorReason, options = {}) => new AiError(reason, reason, options);
const serverError = failed('unavailable', { status: 500 });
const limited = (retryAfterMs: number) => failed('rate-limited', { status: 429, retryAfterMs });

/** Plays one list of steps a call: texts, then the end, unless an error comes first. */
function fakeProvider(name: string, ...calls: Step[][]) {
  const prompts: string[] = [];
  const provider: AiProvider = {
    name,
    model: 'model',
    check: async () => undefined,
    async *stream(prompt) {
      prompts.push(prompt.messages[0]?.content ?? '');
      for (const step of calls.shift() ?? []) {
        if (typeof step !== 'string') throw step;
        yield { type: 'text-delta', text: step };
      }
      yield end;
    },
  };
  return { ...provider, prompts };
}

function setUp(...providers: AiProvider[]) {
  const saved = new Map<string, Date>();
  const breaker = createBreaker({ clock: systemClock });
  const warn = vi.fn();
  const attempts: Attempt[] = [];
  const failover = createFailover({
    providers,
    breaker,
    clock: systemClock,
    onAttempt: (attempt) => attempts.push(attempt),
    logger: { warn },
    pauses: {
      find: async (provider) => saved.get(provider),
      save: async (provider, _model, until) => void saved.set(provider, until),
    },
  });

  /** Takes the whole stream while time flies; the parts in short, and what was thrown. */
  async function run(request: Partial<FailoverRequest> = {}) {
    const parts: string[] = [];
    let error: unknown;
    const startedAt = Date.now();
    const collect = async () => {
      const stream = failover.stream({
        buildPrompt: ({ name }, shrink) => ({
          messages: [{ role: 'user', content: `${name} ${shrink}` }],
          outputTokensMax: 1,
        }),
        signal: new AbortController().signal,
        ...request,
      });
      for await (const part of stream) {
        if (part.type === 'provider') parts.push(`<${part.provider}>`);
        else parts.push(part.type === 'text-delta' ? part.text : 'end');
      }
    };
    let isOver = false;
    const over = collect()
      .catch((thrown: unknown) => (error = thrown))
      .finally(() => (isOver = true));
    while (!isOver) await vi.advanceTimersByTimeAsync(10);
    await over;
    return { parts: parts.join(' '), error, tookMs: Date.now() - startedAt };
  }

  return { run, breaker, saved, warn, attempts, failover };
}

describe('failover', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('asks the first provider, and no other when it completes', async () => {
    const second = fakeProvider('second');
    const { run, attempts } = setUp(fakeProvider('first', ['a', 'b']), second);
    expect((await run()).parts).toBe('<first> a b end');
    expect(second.prompts).toEqual([]);
    expect(attempts).toEqual([
      { provider: 'first', model: 'model', outcome: 'completed', durationMs: 0 },
    ]);
  });

  test('starts where it is told to', async () => {
    const { run } = setUp(fakeProvider('first'), fakeProvider('second', ['b']));
    expect((await run({ startAt: 1 })).parts).toBe('<second> b end');
    expect((await run({ startAt: 2 })).error).toMatchObject({ reason: 'unavailable' });
  });

  describe('a provider that breaks down', () => {
    for (const error of [serverError, failed('timed-out'), failed('unavailable')]) {
      test(`(${error.reason} ${error.status ?? ''}) is tried once more after a short pause`, async () => {
        const { run } = setUp(fakeProvider('first', [error], ['a']), fakeProvider('second'));
        const { parts, tookMs } = await run();
        expect(parts).toBe('<first> <first> a end');
        expect(tookMs).toBeGreaterThanOrEqual(200);
        expect(tookMs).toBeLessThan(700);
      });
    }

    test('twice makes room for the next', async () => {
      const first = fakeProvider('first', [serverError], [serverError], ['never']);
      const { run, attempts } = setUp(first, fakeProvider('second', ['b']));
      expect((await run()).parts).toBe('<first> <first> <second> b end');
      expect(attempts.map(({ outcome }) => outcome)).toEqual([
        'unavailable',
        'unavailable',
        'completed',
      ]);
    });

    test('three times in a minute is skipped by the next answers', async () => {
      const first = fakeProvider('first', ...Array.from({ length: 4 }, () => [serverError]));
      const { run, warn } = setUp(first, fakeProvider('second', ['b'], ['c'], ['d']));
      await run();
      expect((await run()).parts).toBe('<first> <second> c end');
      expect((await run()).parts).toBe('<second> d end');
      expect(warn).toHaveBeenCalledTimes(3);
    });
  });

  test('a provider at capacity (498) is left for the next, and not tried again', async () => {
    const full = failed('unavailable', { status: 498 });
    const { run } = setUp(fakeProvider('first', [full]), fakeProvider('second', ['b']));
    expect((await run()).parts).toBe('<first> <second> b end');
  });

  test('nonsense from a provider is left for the next', async () => {
    const { run } = setUp(
      fakeProvider('first', [failed('invalid')]),
      fakeProvider('second', ['b']),
    );
    expect((await run()).parts).toBe('<first> <second> b end');
  });

  describe('a rate limit', () => {
    test('within the budget is waited for, and saved for all instances', async () => {
      const { run, saved } = setUp(fakeProvider('first', [limited(3_000)], ['a']));
      const until = new Date(Date.now() + 3_000);
      const { parts, tookMs } = await run();
      expect(parts).toBe('<first> <first> a end');
      expect(saved.get('first')).toEqual(until);
      expect(tookMs).toBeGreaterThanOrEqual(3_000);
    });

    test('beyond the budget is not waited for', async () => {
      const { run, saved } = setUp(
        fakeProvider('first', [limited(9_000)]),
        fakeProvider('second', ['b']),
      );
      const { parts, tookMs } = await run();
      expect(parts).toBe('<first> <second> b end');
      expect(tookMs).toBeLessThan(100);
      expect(saved.has('first')).toBe(true);
    });

    test('that another instance saved is respected', async () => {
      const first = fakeProvider('first', ['a']);
      const { run, saved } = setUp(first, fakeProvider('second', ['b']));
      saved.set('first', new Date(Date.now() + 60_000));
      expect((await run()).parts).toBe('<second> b end');
      saved.set('first', new Date(Date.now() + 2_000));
      const { parts, tookMs } = await run();
      expect(parts).toBe('<first> a end');
      expect(tookMs).toBeGreaterThanOrEqual(2_000);
    });

    test('takes from one budget, whoever sets it', async () => {
      const { run } = setUp(
        fakeProvider('first', [limited(5_000)], [limited(5_000)]),
        fakeProvider('second', [limited(5_000)]),
      );
      const { parts, error, tookMs } = await run();
      expect(parts).toBe('<first> <first> <second>');
      expect(error).toMatchObject({ reason: 'rate-limited' });
      expect(tookMs).toBeLessThan(6_000);
    });

    test('without a wait is not asked for ever', async () => {
      const { run } = setUp(fakeProvider('first', [limited(0)], [limited(0)], [limited(0)], ['a']));
      expect((await run()).parts).toBe('<first> <first> <first>');
    });

    test('ends at once when the caller gives up', async () => {
      const { run } = setUp(fakeProvider('first', [limited(5_000)], ['a']));
      const controller = new AbortController();
      const reason = new Error('superseded');
      setTimeout(() => controller.abort(reason), 1_000);
      const { parts, error, tookMs } = await run({ signal: controller.signal });
      expect({ parts, error }).toEqual({ parts: '<first>', error: reason });
      expect(tookMs).toBeLessThan(1_100);
    });
  });

  describe('a prompt that is too long', () => {
    for (const status of [400, 413]) {
      test(`(${status}) is made shorter once, for that provider`, async () => {
        const tooLong = failed('context-length', { status });
        const first = fakeProvider('first', [tooLong], [tooLong], ['never']);
        const second = fakeProvider('second', ['b']);
        const { run } = setUp(first, second);
        expect((await run()).parts).toBe('<first> <first> <second> b end');
        expect(first.prompts).toEqual(['first 0', 'first 1']);
        expect(second.prompts).toEqual(['second 0']);
      });
    }
  });

  test('a refusal opens the breaker with an alarm and goes on to the next', async () => {
    const refused = failed('refused', { status: 401, providerCode: 'invalid_api_key' });
    const first = fakeProvider('first', [refused], ['never']);
    const { run, breaker } = setUp(first, fakeProvider('second', ['b'], ['c']));
    expect((await run()).parts).toBe('<first> <second> b end');
    expect((await run()).parts).toBe('<second> c end');
    expect(breaker.alarms()).toEqual([expect.stringContaining('API_KEY')]);
  });

  describe('after text', () => {
    test('a failure is final, and told to the breaker', async () => {
      const first = fakeProvider(
        'first',
        ['a', serverError],
        ['a', serverError],
        ['a', serverError],
      );
      const { run, breaker } = setUp(first, fakeProvider('second', ['b']));
      expect(await run()).toMatchObject({ parts: '<first> a', error: serverError });
      await run();
      await run();
      expect(breaker.allows(first)).toBe(false);
    });

    test('a rate limit is final too, and still saved for all instances', async () => {
      const { run, saved } = setUp(fakeProvider('first', ['a', limited(3_000)]));
      expect((await run()).parts).toBe('<first> a');
      expect(saved.has('first')).toBe(true);
    });

    test('a failure is not final while the caller has shown nothing of it', async () => {
      const { run } = setUp(fakeProvider('first', ['ANSWER', serverError], ['a']));
      expect((await run({ nothingShown: () => true })).parts).toBe('<first> ANSWER <first> a end');
    });
  });

  test('throws the last failure when no provider is left', async () => {
    const last = failed('invalid');
    const { run } = setUp(
      fakeProvider('first', [serverError], [serverError]),
      fakeProvider('second', [last]),
    );
    expect((await run()).error).toBe(last);
  });

  test("throws the caller's reason and surprises as they are, without another attempt", async () => {
    const surprise = new TypeError('a bug');
    const second = fakeProvider('second', ['b']);
    const { run } = setUp(fakeProvider('first', [surprise]), second);
    expect((await run()).error).toBe(surprise);
    const reason = new Error('superseded');
    expect((await run({ signal: AbortSignal.abort(reason) })).error).toBe(reason);
    expect(second.prompts).toEqual([]);
  });

  test('closes the provider when the caller leaves', async () => {
    let closed = false;
    const provider: AiProvider = {
      ...fakeProvider('first'),
      async *stream() {
        try {
          yield { type: 'text-delta', text: 'a' };
          yield { type: 'text-delta', text: 'b' };
        } finally {
          closed = true;
        }
      },
    };
    const { signal } = new AbortController();
    const buildPrompt = () => ({ messages: [], outputTokensMax: 1 });
    for await (const part of setUp(provider).failover.stream({ buildPrompt, signal })) {
      if (part.type === 'text-delta') break;
    }
    expect(closed).toBe(true);
  });
});
