import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createClient } from '../src/client.ts';
import { ApiError, ConnectionError, retryAfterMsOf } from '../src/errors.ts';
import { retryDelayMs } from '../src/http.ts';
import { createFakeFetch, refusal, type FakeReply } from './fake-fetch.ts';

const ok = (body: object = { id: 't-1' }) => Response.json(body);
const newTicket = { title: 'Shoes', description: 'Do they fit?' };

/** A client whose server replies from the script. */
function clientOf(script: FakeReply[], options: object = {}) {
  const { fetch, requests } = createFakeFetch(...script);
  return {
    client: createClient({ baseUrl: 'http://server/', token: 't', fetch, ...options }),
    requests,
  };
}

/** The result of work whose waits are over at once. */
async function quickly<Result>(work: Promise<Result>): Promise<Result> {
  const settled = work.catch(() => undefined);
  for (let look = 0; look < 20; look += 1) await vi.advanceTimersByTimeAsync(5_000);
  await settled;
  return work;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a call', () => {
  it('sends the token, the query and the body', async () => {
    const { client, requests } = clientOf([ok(), ok()]);
    await client.tickets.list({ status: ['open', 'pending'], handed_off: true, cursor: undefined });
    await client.tickets.update({ id: 'a/b', version: 7 }, { status: 'resolved' });
    expect(requests).toEqual([
      {
        url: 'http://server/api/v1/tickets?status=open&status=pending&handed_off=true',
        method: 'GET',
        headers: { accept: 'application/json', authorization: 'Bearer t' },
        body: undefined,
      },
      {
        url: 'http://server/api/v1/tickets/a%2Fb',
        method: 'PATCH',
        headers: {
          accept: 'application/json',
          authorization: 'Bearer t',
          'content-type': 'application/json',
          'if-match': '"7"',
        },
        body: { status: 'resolved' },
      },
    ]);
  });

  it('is made again with the same idempotency key when the connection breaks', async () => {
    const { client, requests } = clientOf([new TypeError('fetch failed'), ok()]);
    expect(await quickly(client.tickets.create(newTicket))).toEqual({ id: 't-1' });
    const keys = requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys).toEqual([keys[0], keys[0]]);
  });

  it('has an idempotency key of its own', async () => {
    const { client, requests } = clientOf([ok(), ok()]);
    await client.tickets.create(newTicket);
    await client.tickets.create(newTicket);
    const [first, second] = requests.map(({ headers }) => headers['idempotency-key']);
    expect(first).not.toBe(second);
  });

  it('that may have had its effect is not made again', async () => {
    const { client, requests } = clientOf([new TypeError('fetch failed'), ok()]);
    const change = client.tickets.update({ id: 't-1', version: 1 }, { status: 'resolved' });
    await expect(quickly(change)).rejects.toBeInstanceOf(ConnectionError);
    expect(requests).toHaveLength(1);
  });

  it.each([
    ['503', refusal(503, 'unavailable', { headers: { 'retry-after': '2' } })],
    ['429', refusal(429, 'too-many-streams', { headers: { 'retry-after': '1' } })],
    ['a key in flight', refusal(409, 'idempotency-key-in-flight')],
    ['502 of a gateway', new Response('<h1>Bad Gateway</h1>', { status: 502 })],
  ])('is made again after %s', async (_name, reply) => {
    const { client, requests } = clientOf([reply, ok()]);
    expect(await quickly(client.messages.create('t-1', { content: 'Hm?' }))).toEqual({ id: 't-1' });
    expect(requests).toHaveLength(2);
  });

  it('is given up after four attempts', async () => {
    const { client, requests } = clientOf([1, 2, 3, 4, 5].map(() => refusal(503, 'unavailable')));
    await expect(quickly(client.tickets.get('t-1'))).rejects.toMatchObject({ code: 'unavailable' });
    expect(requests).toHaveLength(4);
  });

  it('is not made again when the server wants more patience than anybody has', async () => {
    const { client, requests } = clientOf([
      refusal(429, 'too-many-streams', { headers: { 'retry-after': '3600' } }),
    ]);
    await expect(client.tickets.get('t-1')).rejects.toMatchObject({ retryAfterMs: 3_600_000 });
    expect(requests).toHaveLength(1);
  });

  it('fails when there is no reply in time', async () => {
    const never = (signal: AbortSignal) =>
      new Promise<Response>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(signal.reason)),
      );
    const { client } = clientOf([never], { requestTimeoutMs: 3_000 });
    const change = client.tickets.update({ id: 't-1', version: 1 }, {});
    await expect(quickly(change)).rejects.toThrow(
      'No reply from http://server/api/v1: no reply within 3 s',
    );
  });

  it('throws the reason of its signal, also while it waits', async () => {
    const { client, requests } = clientOf([refusal(503, 'unavailable'), ok()]);
    const leaving = new AbortController();
    const call = client.tickets.get('t-1', { signal: leaving.signal });
    const outcome = expect(call).rejects.toThrow('enough');
    await vi.advanceTimersByTimeAsync(0);
    leaving.abort(new Error('enough'));
    await outcome;
    expect(requests).toHaveLength(1);
  });
});

describe('the token', () => {
  it('is asked for again, once, when the server refuses it', async () => {
    const asked: (string | undefined)[] = [];
    const getToken = async (rejected?: string) => {
      asked.push(rejected);
      return rejected === undefined ? 'old' : 'new';
    };
    const { client, requests } = clientOf([refusal(401, 'unauthenticated'), ok()], { getToken });
    expect(await client.tickets.get('t-1')).toEqual({ id: 't-1' });
    expect(asked).toEqual([undefined, 'old']);
    expect(requests.map(({ headers }) => headers['authorization'])).toEqual([
      'Bearer old',
      'Bearer new',
    ]);
  });

  it('that is refused twice is an error', async () => {
    const { client, requests } = clientOf(
      [refusal(401, 'unauthenticated'), refusal(401, 'unauthenticated'), ok()],
      { getToken: (rejected?: string) => (rejected === undefined ? 'old' : 'new') },
    );
    await expect(client.tickets.get('t-1')).rejects.toMatchObject({ status: 401 });
    expect(requests).toHaveLength(2);
  });

  it('is not sent to sign in', async () => {
    const { client, requests } = clientOf([ok(), ok()]);
    await client.auth.login({ email: 'robin@example.com', password: 'four random words' });
    await client.auth.refresh('refresh');
    expect(requests.map(({ headers }) => headers['authorization'])).toEqual([undefined, undefined]);
    expect(requests[1]?.body).toEqual({ refresh_token: 'refresh' });
  });
});

describe('an error', () => {
  it('has all that the problem document says', async () => {
    const errors = [{ pointer: '/title', code: 'minLength', message: 'too short' }];
    const { client } = clientOf([refusal(422, 'validation-failed', { errors })]);
    const error = await client.tickets.create(newTicket).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({
      name: 'ApiError',
      message: 'No: validation-failed.',
      code: 'validation-failed',
      status: 422,
      requestId: 'r-1',
      errors,
      retryAfterMs: undefined,
    });
  });

  it('says so when something else than the API replied', async () => {
    const { client } = clientOf([
      new Response('<h1>Not Found</h1>', { status: 404 }),
      new Response('<h1>Hello</h1>'),
    ]);
    const unexpected = { code: 'unexpected-reply' };
    await expect(client.tickets.get('t-1')).rejects.toMatchObject({ status: 404, ...unexpected });
    await expect(client.tickets.get('t-1')).rejects.toMatchObject({ status: 200, ...unexpected });
  });
});

describe('waiting', () => {
  it('reads Retry-After in seconds and as a date', () => {
    const now = Date.parse('2026-11-02T09:30:00Z');
    expect(retryAfterMsOf('7', now)).toBe(7_000);
    expect(retryAfterMsOf('Mon, 02 Nov 2026 09:30:09 GMT', now)).toBe(9_000);
    expect(retryAfterMsOf('Mon, 02 Nov 2026 09:29:00 GMT', now)).toBe(0);
    expect(retryAfterMsOf('soon', now)).toBeUndefined();
    expect(retryAfterMsOf(null, now)).toBeUndefined();
  });

  it('grows with the failures, at random, and comes on top of Retry-After', () => {
    const broken = new ConnectionError('broken');
    expect([1, 2, 3].map((failures) => retryDelayMs(broken, failures, true, 1))).toEqual([
      500, 1_000, 2_000,
    ]);
    expect(retryDelayMs(broken, 1, true, 0)).toBe(0);
    expect(retryDelayMs(broken, 4, true, 0)).toBeUndefined();
    const busy = new ApiError({
      message: '',
      code: 'unavailable',
      status: 503,
      requestId: '',
      retryAfterMs: 2_000,
    });
    expect(retryDelayMs(busy, 1, false, 0.5)).toBe(2_250);
  });
});
