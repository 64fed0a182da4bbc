import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';

/** A mail as it came over the wire. */
export type ReceivedMail = {
  from: string;
  to: string[];
  /** The headers as they stand, unfolded; their names in lower case. */
  headers: ReadonlyMap<string, string>;
  /** How many header lines there are of a name. */
  countOf(name: string): number;
  subject: string;
  text: string;
  html: string;
  raw: string;
};

/**
 * What the server does with a mail: takes it, says no to the recipient for good or for now, never
 * replies, closes the connection, or takes it and loses its reply.
 */
export type Behaviour = 'accept' | 'refuse' | 'delay' | 'hang' | 'drop' | 'lose-reply';

export type FakeSmtp = Awaited<ReturnType<typeof startFakeSmtp>>;

/** An SMTP server on loopback that keeps what it is given. */
export async function startFakeSmtp() {
  const mails: ReceivedMail[] = [];
  const sockets = new Set<Socket>();
  const state = { behaviour: 'accept' as Behaviour, attempts: 0 };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    converse(socket, state, (mail) => mails.push(mail));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;

  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    mailsTo: (address: string): ReceivedMail[] => mails.filter(({ to }) => to.includes(address)),
    /** Recipients that were named, whatever became of them. */
    attempts: (): number => state.attempts,
    behave(behaviour: Behaviour): void {
      state.behaviour = behaviour;
    },
    async close(): Promise<void> {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function converse(
  socket: Socket,
  state: { behaviour: Behaviour; attempts: number },
  keep: (mail: ReceivedMail) => void,
): void {
  let input = '';
  let envelope = { from: '', to: [] as string[] };
  let inData = false;
  const say = (line: string): void => void socket.write(`${line}\r\n`);

  socket.setEncoding('latin1');
  say('220 fake ESMTP');
  socket.on('data', (chunk: string) => {
    input += chunk;
    while (inData ? takeData() : takeLine());
  });

  function takeLine(): boolean {
    const end = input.indexOf('\r\n');
    if (end < 0) return false;
    const line = input.slice(0, end);
    input = input.slice(end + 2);
    command(line);
    return true;
  }

  function command(line: string): void {
    const word = line.slice(0, 4).toUpperCase();
    if (word === 'EHLO' || word === 'HELO') say('250 fake');
    else if (word === 'MAIL') {
      envelope = { from: addressOf(line), to: [] };
      say('250 ok');
    } else if (word === 'RCPT') recipient(line);
    else if (word === 'DATA') {
      inData = true;
      say('354 go on');
    } else if (word === 'QUIT') {
      say('221 bye');
      socket.end();
    } else say(word === 'RSET' || word === 'NOOP' ? '250 ok' : '502 what?');
  }

  function recipient(line: string): void {
    state.attempts += 1;
    if (state.behaviour === 'drop') socket.destroy();
    else if (state.behaviour === 'refuse') say('550 no such mailbox');
    else if (state.behaviour === 'delay') say('450 not now');
    else if (state.behaviour !== 'hang') {
      envelope.to.push(addressOf(line));
      say('250 ok');
    }
  }

  function takeData(): boolean {
    const end = input.indexOf('\r\n.\r\n');
    if (end < 0) return false;
    const raw = input.slice(0, end).replace(/^\.\./gm, '.');
    input = input.slice(end + 5);
    inData = false;
    keep(parse(envelope, Buffer.from(raw, 'latin1').toString()));
    if (state.behaviour === 'lose-reply') socket.destroy();
    else say('250 kept');
    return true;
  }
}

const addressOf = (line: string): string => /<([^>]*)>/.exec(line)?.[1] ?? '';

function parse(envelope: { from: string; to: string[] }, raw: string): ReceivedMail {
  const { headers, names } = headersOf(raw);
  return {
    ...envelope,
    headers,
    countOf: (name) => names.filter((other) => other === name).length,
    subject: decodedWords(headers.get('subject') ?? ''),
    text: partOf(raw, 'text/plain'),
    html: partOf(raw, 'text/html'),
    raw,
  };
}

function headersOf(raw: string): { headers: Map<string, string>; names: string[] } {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replace(/\r\n[ \t]+/g, ' ');
  const pairs = head.split('\r\n').map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { headers: new Map(pairs), names: pairs.map(([name]) => name) };
}

/** RFC 2047. */
function decodedWords(text: string): string {
  const joined = text.replace(/\?=\s+=\?/g, '?==?');
  return joined.replace(/=\?utf-8\?([bq])\?(.*?)\?=/gi, (_all, kind: string, word: string) =>
    kind.toLowerCase() === 'b'
      ? Buffer.from(word, 'base64').toString()
      : quotedPrintable(word.replaceAll('_', ' ')),
  );
}

/** The decoded body of the part of a multipart/alternative that has the type. */
function partOf(raw: string, type: string): string {
  const boundary = /boundary="([^"]+)"/.exec(raw)?.[1];
  const part = raw.split(`--${boundary}`).find((part) => part.includes(`Content-Type: ${type}`));
  if (part === undefined) return '';
  const start = part.indexOf('\r\n\r\n') + 4;
  const body = part.slice(start).replace(/\r\n$/, '');
  const encoding = /Content-Transfer-Encoding: (\S+)/.exec(part)?.[1];
  const decoded =
    encoding === 'base64'
      ? Buffer.from(body, 'base64').toString()
      : encoding === 'quoted-printable'
        ? quotedPrintable(body)
        : body;
  return decoded.replaceAll('\r\n', '\n');
}

function quotedPrintable(text: string): string {
  const bytes = text
    .replace(/=\r\n/g, '')
    .replace(/=([0-9A-F]{2})/gi, (_all, hex: string) => String.fromCharCode(parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString();
}
