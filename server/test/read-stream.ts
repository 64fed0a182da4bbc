import { createParser } from 'eventsource-parser';
import type { Json } from './reply.ts';

/** One frame as a reader sees it. */
export type Frame = { id: string | undefined; part: Record<string, Json> };

/** What a reader made of a stream: its frames, the text they add up to, and how it ended. */
export type ReadStream = {
  frames: Frame[];
  text: string;
  types: string[];
  done: boolean;
  lastId: string | undefined;
};

/** Parses a stream's body. `before` is the text that a resumed reader had already. */
export function parseStream(body: string, before = ''): ReadStream {
  const frames: Frame[] = [];
  let done = false;
  const parser = createParser({
    onEvent({ id, data }) {
      if (data === '[DONE]') done = true;
      else frames.push({ id, part: JSON.parse(data) as Frame['part'] });
    },
  });
  parser.feed(body);
  let text = before;
  for (const { part } of frames) {
    if (part['type'] === 'text-start') text = '';
    if (part['type'] === 'text-delta') text += part['delta'] as string;
  }
  return {
    frames,
    text,
    types: frames.map(({ part }) => part['type'] as string),
    done,
    lastId: frames.findLast(({ id }) => id !== undefined)?.id,
  };
}

/**
 * Reads a stream over a real socket until `stop` says so, then cuts the connection.
 * Resolves to what was received, cut or complete.
 */
export async function readUntil(
  url: string,
  options: { token: string; lastEventId?: string; stop?: (body: string) => boolean },
): Promise<{ status: number; body: string }> {
  const cut = new AbortController();
  const reply = await fetch(url, {
    headers: {
      authorization: `Bearer ${options.token}`,
      ...(options.lastEventId && { 'last-event-id': options.lastEventId }),
    },
    signal: cut.signal,
  });
  let body = '';
  const decoder = new TextDecoder();
  try {
    for await (const bytes of reply.body ?? []) {
      body += decoder.decode(bytes, { stream: true });
      if (options.stop?.(body)) break;
    }
  } catch (error) {
    if (!cut.signal.aborted) throw error;
  } finally {
    cut.abort();
  }
  return { status: reply.status, body };
}
