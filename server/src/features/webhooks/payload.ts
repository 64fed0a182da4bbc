import type { EventRow } from './deliveries.repository.ts';

/** What a body is made of. */
export type PayloadEvent = Pick<
  EventRow,
  | 'id'
  | 'type'
  | 'created_at'
  | 'sequence'
  | 'data'
  | 'previous'
  | 'actor_type'
  | 'actor_id'
  | 'content'
>;

/** Room for everything but the text of a message, in a body of 20 kB. */
const contentBytesMax = 12_000;

/**
 * The body of an event for a webhook. It is made of what never changes (the event, the text of a
 * message), so every attempt sends the same.
 */
export function payloadOf(event: PayloadEvent): string {
  const { type, created_at, sequence, data, previous, actor_type, actor_id, content } = event;
  return JSON.stringify({
    type,
    timestamp: created_at.toISOString(),
    data: {
      object: content === null ? data : { ...data, ...shortened(content) },
      ...(previous && { previous }),
      actor: { type: actor_type, id: actor_id },
    },
    ...(sequence !== null && { sequence }),
  });
}

function shortened(content: string): { content: string; content_truncated: boolean } {
  if (bytesOf(content) <= contentBytesMax) {
    return { content, content_truncated: false };
  }
  let bytes = 0;
  let kept = '';
  for (const character of content) {
    bytes += bytesOf(character);
    if (bytes > contentBytesMax) break;
    kept += character;
  }
  return { content: kept, content_truncated: true };
}

/** As JSON has it, between the quotes. */
const bytesOf = (text: string): number => Buffer.byteLength(JSON.stringify(text)) - 2;
