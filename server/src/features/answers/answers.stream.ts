import { doneFrame, eventFrame } from '../../platform/http/event-frame.ts';
import type { AnswerRow } from './answers.repository.ts';
import { lines } from './answers.lines.ts';
import type { Tail } from './answers.tails.ts';

/*
 * An answer as an AI SDK "UI message stream v1". The stream is a pure function of the answer's row:
 * there is no log of events. A frame's id is `<answerId>.<offset>`, the offset counting the UTF-16
 * code units of text up to and including the frame; the closing part has `<answerId>.end`.
 */

/** Customers see what was said and why; staff also see what it was made of and what it cost. */
export type StreamAudience = 'customer' | 'staff';

export type StreamPosition = { answerId: string; offset: number | 'end' };

/** A long backlog goes out in pieces, so that a reader on a bad line gets further each time. */
const deltaLengthMax = 1_024;

const positionPattern = /^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,9}|end)$/;

/** Reads a `Last-Event-ID`; undefined when it is not one of ours. */
export function parsePosition(lastEventId: string): StreamPosition | undefined {
  const [, answerId, offset] = positionPattern.exec(lastEventId) ?? [];
  if (!answerId || !offset) return undefined;
  return { answerId, offset: offset === 'end' ? 'end' : Number(offset) };
}

/** From where to go on: 0 is a full replay, which a foreign or impossible position gets. */
export function resumeOffset(row: AnswerRow, position: StreamPosition | undefined): number {
  if (position?.answerId !== row.id || position.offset === 'end') return 0;
  return position.offset > row.text.length ? 0 : position.offset;
}

/**
 * The frames of an answer from `offset` on, to its end or until `signal` is aborted. Behind an
 * offset above 0 the text goes on without a new `text-start`; every other part is idempotent.
 */
export async function* answerFrames(
  tail: Tail,
  options: { audience: StreamAudience; offset: number; signal: AbortSignal },
): AsyncGenerator<string> {
  const { audience, signal } = options;
  const { id } = tail.row;
  let sent = options.offset;
  let begun = sent > 0;
  let phase = '';
  let sourcesOf = 0;
  signal.addEventListener('abort', () => tail.wake(), { once: true });

  yield eventFrame(startPart(tail.row), `${id}.${sent}`);
  while (!signal.aborted) {
    // Asked for before the row is looked at: a change in between is not missed.
    const changed = tail.changed();
    const { row } = tail;
    let frames = '';
    if (row.ended_at === null && phaseOf(row) !== phase) {
      phase = phaseOf(row);
      frames += eventFrame({ type: 'data-status', data: { phase }, transient: true });
    }
    // Every start of an answer searches anew, once.
    if (row.sources && row.started_at && row.started_at.getTime() !== sourcesOf) {
      sourcesOf = row.started_at.getTime();
      frames += eventFrame(sourcesPart(row.sources, audience));
    }
    if (row.text.length > sent) {
      if (!begun) {
        frames += sourceDocuments(row) + eventFrame({ type: 'text-start', id: 'text' });
        begun = true;
      }
      for (let end = deltaEnd(row, sent); end > sent; end = deltaEnd(row, sent)) {
        const from = sent;
        frames += tail.frame(from, end, () =>
          eventFrame(
            { type: 'text-delta', id: 'text', delta: row.text.slice(from, end) },
            `${id}.${end}`,
          ),
        );
        sent = end;
      }
    }
    if (row.ended_at !== null) {
      yield frames + closingFrames(row, audience, begun);
      return;
    }
    if (frames) yield frames;
    else await changed;
  }
}

/** The four frames for a message that a person will answer. */
export function handoffFrames(ticketId: string): string {
  return (
    eventFrame({ type: 'start', messageMetadata: { ticketId, answerId: null, mode: 'handoff' } }) +
    eventFrame({
      type: 'data-handoff',
      id: 'handoff',
      data: { mode: 'now', reason: 'assistant-paused' },
    }) +
    eventFrame({ type: 'finish', finishReason: 'stop' }) +
    doneFrame
  );
}

const startPart = (row: AnswerRow) => ({
  type: 'start',
  messageId: row.message_id,
  messageMetadata: { ticketId: row.ticket_id, answerId: row.id, mode: 'answer' },
});

/** Where the next delta ends: within the limit, and never between the halves of a surrogate pair. */
function deltaEnd(row: AnswerRow, from: number): number {
  const end = Math.min(from + deltaLengthMax, row.text.length);
  const isLast = row.ended_at !== null && end === row.text.length;
  const splitsPair = !isLast && /[\ud800-\udbff]/.test(row.text.charAt(end - 1));
  return splitsPair ? end - 1 : end;
}

function phaseOf(row: AnswerRow): string {
  if (row.state === 'queued') return 'queued';
  return row.sources === null ? 'searching' : 'writing';
}

function sourcesPart(sources: NonNullable<AnswerRow['sources']>, audience: StreamAudience) {
  const items = sources.map((source) => ({
    n: source.n,
    articleId: source.article_id,
    version: source.version,
    title: source.title,
    heading: source.heading,
    ...(audience === 'staff' && { score: source.score }),
  }));
  return { type: 'data-sources', id: 'sources', data: { items } };
}

/** Sent once, with the text: until then a restarted answer may still change its sources. */
const sourceDocuments = (row: AnswerRow): string =>
  (row.sources ?? [])
    .map((source) =>
      eventFrame({
        type: 'source-document',
        sourceId: `${row.id}-${source.n}`,
        mediaType: 'text/markdown',
        title: source.heading ? `${source.title} › ${source.heading}` : source.title,
      }),
    )
    .join('');

/** All that follows the text, and the end. */
function closingFrames(row: AnswerRow, audience: StreamAudience, begun: boolean): string {
  const parts: object[] = [];
  if (begun) parts.push({ type: 'text-end', id: 'text' });
  for (const { n, article_id: articleId, quote } of row.citations) {
    parts.push({ type: 'data-citation', id: `citation-${n}`, data: { n, articleId, quote } });
  }
  if (row.handoff_mode) {
    const data = { mode: row.handoff_mode, reason: row.handoff_reason };
    parts.push({ type: 'data-handoff', id: 'handoff', data });
  }
  if (row.verdict === 'CLARIFY') {
    parts.push({ type: 'data-clarify', id: 'clarify', data: { options: [] } });
  }
  parts.push({ type: 'message-metadata', messageMetadata: metadataOf(row, audience) });
  const frames = parts.map((part) => eventFrame(part)).join('');
  return frames + eventFrame(endPart(row), `${row.id}.end`) + doneFrame;
}

function metadataOf(row: AnswerRow, audience: StreamAudience) {
  const shared = {
    ticketId: row.ticket_id,
    answerId: row.id,
    mode: 'answer',
    state: row.state,
    verdict: row.verdict,
  };
  if (audience === 'customer') return shared;
  const { provider, model, input_tokens: inputTokens, output_tokens: outputTokens } = row;
  const { cost, failure } = row;
  return { ...shared, provider, model, usage: { inputTokens, outputTokens }, cost, failure };
}

function endPart(row: AnswerRow) {
  switch (row.state) {
    case 'incomplete':
      return { type: 'error', errorText: lines.incomplete };
    case 'failed':
      return { type: 'error', errorText: lines.failed };
    case 'cancelled':
    case 'superseded':
      return { type: 'abort', reason: row.state };
    default:
      return { type: 'finish', finishReason: row.finish_reason ?? 'stop' };
  }
}
