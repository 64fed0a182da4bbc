/** A request as the client made it. */
export type SeenRequest = {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: unknown;
};

export type FakeReply = Response | Error | ((signal: AbortSignal) => Promise<Response>);

/** A `fetch` that replies in order from a script, and what it was asked for. */
export function createFakeFetch(...script: FakeReply[]) {
  const requests: SeenRequest[] = [];
  const fake: typeof fetch = async (input, options = {}) => {
    const { method = 'GET', headers = {}, body } = options;
    requests.push({
      url: input as string,
      method,
      headers: headers as Record<string, string>,
      body: typeof body === 'string' ? JSON.parse(body) : undefined,
    });
    const reply = script.shift();
    if (!reply) throw new Error('the script is over');
    if (reply instanceof Error) throw reply;
    const signal = options.signal ?? new AbortController().signal;
    return reply instanceof Response ? reply : reply(signal);
  };
  return { fetch: fake, requests };
}

/** The server's way to refuse. */
export const refusal = (
  status: number,
  code: string,
  { headers = {}, ...members }: { headers?: Record<string, string>; errors?: object[] } = {},
): Response =>
  new Response(JSON.stringify({ code, detail: `No: ${code}.`, request_id: 'r-1', ...members }), {
    status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });

const eventStream = { headers: { 'content-type': 'text/event-stream; charset=utf-8' } };

/** A stream that says `text` and then ends, breaks, or is silent until the reader leaves. */
export const streamOf =
  (text: string, then: 'ends' | 'breaks' | 'is silent' = 'ends') =>
  async (signal: AbortSignal): Promise<Response> => {
    const body = new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(new TextEncoder().encode(text));
        if (then === 'ends') controller.close();
        // Behind what was read: an error drops what waits in the queue.
        if (then === 'breaks') setTimeout(() => controller.error(new TypeError('terminated')), 1);
        signal.addEventListener('abort', () => {
          try {
            controller.error(signal.reason);
          } catch {
            // It has ended before.
          }
        });
      },
    });
    return new Response(body, eventStream);
  };

/** A frame as the server writes it. */
export const frame = (part: object, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(part)}\n\n`;

export const done = 'data: [DONE]\n\n';
