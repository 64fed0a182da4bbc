/** One server-sent event. `id` is the last one that the stream has named up to here, or ''. */
export type ServerEvent = { event: string; data: string; id: string };

export type EventParser = {
  /** Takes a piece of the stream, cut anywhere; returns the events that it completes. */
  push(text: string): ServerEvent[];
  /** What `retry:` asks to wait before reconnecting, in milliseconds, once it was said. */
  readonly retryMs: number | undefined;
};

/**
 * A parser of `text/event-stream` as the HTML standard describes it: LF, CRLF and CR end lines,
 * comments are skipped, data may have many lines, and an event that is cut off never comes out.
 */
export function createEventParser(): EventParser {
  let rest = '';
  let afterReturn = false;
  let event = '';
  let data: string[] = [];
  let id = '';
  let retryMs: number | undefined;

  function read(line: string, completed: ServerEvent[]): void {
    if (line === '') return dispatch(completed);
    const colon = line.indexOf(':');
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1);
    if (field === 'data') data.push(value);
    else if (field === 'event') event = value;
    else if (field === 'id' && !value.includes('\0')) id = value;
    else if (field === 'retry' && /^\d+$/.test(value)) retryMs = Number(value);
  }

  function dispatch(completed: ServerEvent[]): void {
    if (data.length > 0) completed.push({ event: event || 'message', data: data.join('\n'), id });
    event = '';
    data = [];
  }

  return {
    get retryMs() {
      return retryMs;
    },
    push(text) {
      const completed: ServerEvent[] = [];
      if (text === '') return completed;
      // A CR that ended the last piece has ended its line already: an LF behind it is half a pair.
      let from = afterReturn && text.startsWith('\n') ? 1 : 0;
      afterReturn = text.endsWith('\r');
      const lineEnd = /\r\n|\r|\n/g;
      lineEnd.lastIndex = from;
      for (let end = lineEnd.exec(text); end; end = lineEnd.exec(text)) {
        read(rest + text.slice(from, end.index), completed);
        rest = '';
        from = lineEnd.lastIndex;
      }
      rest += text.slice(from);
      return completed;
    },
  };
}
