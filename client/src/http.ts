import { ApiError, apiErrorOf, ConnectionError } from './errors.ts';

/** Gives the access token; `rejected` is the one that the server has just refused with 401. */
export type GetToken = (rejected?: string) => string | undefined | Promise<string | undefined>;

export type HttpOptions = {
  baseUrl: string;
  getToken: GetToken;
  fetch: typeof fetch;
  /** A request without a reply after this long has failed. */
  requestMs: number;
};

export type Query = Record<string, string | number | boolean | readonly string[] | undefined>;

export type Exchange = {
  query?: Query;
  body?: object | undefined;
  headers?: Record<string, string>;
  signal?: AbortSignal | undefined;
  /** Signs in by its body, or needs no one: no token is sent. */
  isAnonymous?: boolean;
};

export type Call = Exchange & {
  /** Sends an `Idempotency-Key`, the same one with every attempt. */
  isKeyed?: boolean;
  /** Whether a second run does no harm, so that a lost reply may be asked for again. */
  isRepeatable?: boolean;
};

export type Http = ReturnType<typeof createHttp>;

const attemptsMax = 4;
const backOffMs = 250;
const backOffMaxMs = 4_000;
/** A longer `Retry-After` is for the caller to decide about. */
const patienceMs = 20_000;

/** One server over `fetch`: tokens, retries with jitter, and replies as values or typed errors. */
export function createHttp(options: HttpOptions) {
  const { getToken, fetch, requestMs } = options;
  const root = `${options.baseUrl.replace(/\/+$/, '')}/api/v1`;

  /** One request; when a token is refused, once more with the one that `getToken` then gives. */
  async function send(method: string, path: string, exchange: Exchange): Promise<Response> {
    const token = exchange.isAnonymous ? undefined : await getToken();
    let response = await transmit(method, path, exchange, token);
    if (response.status === 401 && token !== undefined) {
      const renewed = await getToken(token);
      if (renewed !== undefined && renewed !== token) {
        await response.body?.cancel();
        response = await transmit(method, path, exchange, renewed);
      }
    }
    if (!response.ok) throw await apiErrorOf(response);
    return response;
  }

  async function transmit(
    method: string,
    path: string,
    { query = {}, body, headers, signal }: Exchange,
    token: string | undefined,
  ): Promise<Response> {
    signal?.throwIfAborted();
    try {
      return await fetch(`${root}${path}${searchOf(query)}`, {
        method,
        headers: {
          accept: 'application/json',
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(signal && { signal }),
      });
    } catch (error) {
      throw connectionErrorOf(error, root);
    }
  }

  async function attempt<Reply>(method: string, path: string, call: Call): Promise<Reply> {
    const timeout = timeoutOf(call.signal, requestMs);
    try {
      const response = await send(method, path, { ...call, signal: timeout.signal });
      const text = await response.text().catch((error: unknown) => {
        throw connectionErrorOf(error, root);
      });
      return (text === '' ? undefined : parseReply(text, response)) as Reply;
    } catch (error) {
      call.signal?.throwIfAborted();
      throw timeout.signal.aborted ? connectionErrorOf(timeout.signal.reason, root) : error;
    } finally {
      timeout.clear();
    }
  }

  return {
    /**
     * One call with its retries; resolves to the parsed body, undefined when there is none.
     * Throws `ApiError`, `ConnectionError`, or the reason of the signal.
     */
    async request<Reply>(method: string, path: string, call: Call = {}): Promise<Reply> {
      const headers = {
        ...call.headers,
        ...(call.isKeyed && { 'idempotency-key': randomKey() }),
      };
      const isRepeatable = call.isRepeatable ?? (call.isKeyed || method === 'GET');
      for (let failures = 1; ; failures += 1) {
        try {
          return await attempt<Reply>(method, path, { ...call, headers });
        } catch (error) {
          const waitMs = retryDelayMs(error, failures, isRepeatable, Math.random());
          if (waitMs === undefined) throw error;
          await pause(waitMs, call.signal);
        }
      }
    },

    /** Opens a stream of events, without retries: who reads it knows from where to go on. */
    async open(path: string, exchange: Exchange): Promise<Response> {
      const timeout = timeoutOf(exchange.signal, requestMs);
      try {
        return await send('GET', path, {
          ...exchange,
          headers: { ...exchange.headers, accept: 'text/event-stream' },
          signal: timeout.signal,
        });
      } catch (error) {
        exchange.signal?.throwIfAborted();
        throw timeout.signal.aborted ? connectionErrorOf(timeout.signal.reason, root) : error;
      } finally {
        timeout.clear();
      }
    },
  };
}

/**
 * How long to wait before the next attempt in milliseconds, `random` from 0 to 1 spreading it;
 * undefined when the error is final.
 */
export function retryDelayMs(
  error: unknown,
  failures: number,
  isRepeatable: boolean,
  random: number,
): number | undefined {
  if (failures >= attemptsMax || !mayRetry(error, isRepeatable)) return undefined;
  const backOff = random * Math.min(backOffMaxMs, backOffMs * 2 ** failures);
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  return asked > patienceMs ? undefined : asked + backOff;
}

/** Whether the server did nothing, or the same request may well have its effect only once. */
export function mayRetry(error: unknown, isRepeatable: boolean): boolean {
  if (error instanceof ConnectionError) return isRepeatable;
  if (!(error instanceof ApiError)) return false;
  const { status, code } = error;
  if (status === 429 || status === 503 || code === 'idempotency-key-in-flight') return true;
  // A gateway that lost its server: like a connection that broke.
  return isRepeatable && (status === 502 || status === 504);
}

/** Resolves after the time; rejects with the signal's reason when it is aborted before. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(signal?.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** A signal that follows `signal`, for good, and aborts by itself until it is cleared. */
function timeoutOf(signal: AbortSignal | undefined, milliseconds: number) {
  const controller = new AbortController();
  const seconds = Math.round(milliseconds / 1_000);
  const timer = setTimeout(
    () => controller.abort(new Error(`no reply within ${seconds} s`)),
    milliseconds,
  );
  return {
    signal: signal ? AbortSignal.any([signal, controller.signal]) : controller.signal,
    clear: () => clearTimeout(timer),
  };
}

function connectionErrorOf(error: unknown, root: string): ConnectionError {
  if (error instanceof ConnectionError) return error;
  return new ConnectionError(`No reply from ${root}: ${innermost(error)}`, { cause: error });
}

/** `fetch` says "fetch failed"; why stands in the causes. */
function innermost(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? innermost(error.cause) : error.message;
}

function parseReply(text: string, { status, headers }: Response): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError({
      message: 'The reply is not JSON: this is no Support Assistant server.',
      code: 'unexpected-reply',
      status,
      requestId: headers.get('x-request-id') ?? '',
    });
  }
}

function searchOf(query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const item of [value].flat()) search.append(name, String(item));
  }
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

/** Not `randomUUID`, which browsers have under https only. */
function randomKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
