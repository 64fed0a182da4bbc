/** A frame of a server-sent event stream; `id` is what a reader sends back as `Last-Event-ID`. */
export const eventFrame = (data: unknown, id?: string): string =>
  id === undefined
    ? `data: ${JSON.stringify(data)}\n\n`
    : `id: ${id}\ndata: ${JSON.stringify(data)}\n\n`;

/** What ends a stream that is complete. */
export const doneFrame = 'data: [DONE]\n\n';
