import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import type { TestReply } from '../server/test/reply.ts';
import type { FuzzRequest } from './requests.ts';

/** A stream is read for so long, then cut. */
const streamMs = 40;
const replyMsMax = 20_000;

const agent = new Agent({ keepAlive: true });

/** Sends the request byte for byte. Rejects when there is no reply in time. */
export function send(url: string, request: FuzzRequest): Promise<TestReply> {
  const { hostname, port } = new URL(url);
  const { body, headers, path, operation } = request;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({
      ...{ agent, hostname, port, path, method: operation.method.toUpperCase() },
      headers: { ...headers, ...(body && { 'content-length': body.length }) },
      timeout: replyMsMax,
    });
    outgoing.on('response', (incoming) => void receive(incoming).then(resolve, reject));
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no reply in ${replyMsMax} ms`)));
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function receive(incoming: IncomingMessage): Promise<TestReply> {
  const type = incoming.headers['content-type'] ?? '';
  const isStream = type.startsWith('text/event-stream');
  const cut = isStream ? setTimeout(() => incoming.destroy(), streamMs) : undefined;
  const text = await textOf(incoming, isStream).finally(() => clearTimeout(cut));
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers as Record<string, string>,
    body: text === '' ? undefined : /json/.test(type) ? (JSON.parse(text) as unknown) : text,
  };
}

async function textOf(incoming: IncomingMessage, mayBeCut: boolean): Promise<string> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch (error) {
    if (!mayBeCut) throw error;
  }
  return Buffer.concat(chunks).toString();
}

const shownMax = 2_000;

/** The request as a command line, as far as it can be shown. */
export function asCurl(url: string, { operation, path, headers, body, who }: FuzzRequest): string {
  const quoted = (text: string): string =>
    `$'${JSON.stringify(text).slice(1, -1).replaceAll("'", "\\'")}'`;
  const shown = Object.entries(headers).map(([name, value]) =>
    quoted(`${name}: ${name === 'authorization' && who ? `Bearer <${who.role}>` : value}`),
  );
  return [
    `curl -X ${operation.method.toUpperCase()} ${quoted(url + path)}`,
    ...shown.map((header) => `-H ${header}`),
    ...(body ? [`--data-binary ${quoted(body.toString('latin1').slice(0, shownMax))}`] : []),
  ].join(' ');
}
