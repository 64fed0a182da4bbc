import { connect, type Socket } from 'node:net';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createApp } from '../src/app.ts';
import { startTestApp, until, type TestApp } from './harness.ts';

/** What only a socket can say: HTTP that no client would write, slowly, or not at all. */

let app: TestApp;
let url: URL;
beforeAll(async () => {
  app = await startTestApp({
    env: {
      REQUEST_HEADERS_MS: '500',
      REQUEST_MS: '800',
      CONNECTION_IDLE_MS: '1500',
      STREAM_KEEP_ALIVE_MS: '1000',
      CONNECTIONS_MAX: '20',
    },
  });
  url = new URL(await app.listen());
});
afterAll(() => app.close());

type Connection = { socket: Socket; received(): string; ended: Promise<unknown> };
const connections: Connection[] = [];
afterEach(async () => {
  for (const { socket } of connections) socket.destroy();
  await Promise.all(connections.splice(0).map(({ ended }) => ended));
});

function open(): Connection {
  const socket = connect(Number(url.port), url.hostname);
  let text = '';
  socket.on('error', () => undefined);
  socket.on('data', (bytes) => (text += bytes.toString('latin1')));
  const ended = new Promise((resolve) => socket.once('close', resolve));
  const connection = { socket, received: () => text, ended };
  connections.push(connection);
  return connection;
}

/** Sends text and waits for so many replies to it. */
async function ask(text: string, count = 1) {
  const { socket, received } = open();
  socket.write(text, 'latin1');
  return until(`${count} replies`, () => {
    const replies = repliesIn(received());
    return replies.length >= count && replies;
  });
}

function repliesIn(text: string) {
  const starts = [...text.matchAll(/HTTP\/1\.1 (\d{3}) [^]*?\r\n\r\n/g)];
  return starts.map(([head, status], at) => {
    const from = (starts[at]?.index ?? 0) + head.length;
    const body = text.slice(from, starts[at + 1]?.index);
    return { status: Number(status), head, body: body && JSON.parse(body) };
  });
}

/** Sends text byte by byte, until it is hung up. */
async function drip(start: string, text: string): Promise<Connection> {
  const connection = open();
  const bytes = text[Symbol.iterator]();
  connection.socket.write(start);
  const dripping = setInterval(() => connection.socket.write(bytes.next().value ?? 'x'), 50);
  await connection.ended.finally(() => clearInterval(dripping));
  return connection;
}

const get = 'GET /health/live HTTP/1.1\r\nhost: here\r\n';
const logIn =
  'POST /api/v1/auth/login HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n';
const chunked = 'transfer-encoding: chunked\r\n\r\n';

test.each([
  ['no request line', 'GARBAGE\r\n\r\n'],
  ['a space in the URL', 'GET /a b HTTP/1.1\r\nhost: here\r\n\r\n'],
  ['a byte beyond ASCII in the URL', 'GET /\xff HTTP/1.1\r\nhost: here\r\n\r\n'],
  ['percent signs that encode nothing', 'GET /%zz HTTP/1.1\r\nhost: here\r\n\r\n'],
  ['a header without a colon', `${get}broken\r\n\r\n`],
  ['no host', 'GET /health/live HTTP/1.1\r\n\r\n'],
  ['an unknown method', 'FOO / HTTP/1.1\r\nhost: here\r\n\r\n'],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ['TLS', '\x16\x03\x01\x02'],
  ['a chunk that lies about its length', `${logIn}${chunked}1\r\n{}\r\n0\r\n\r\n`],
  ['two lengths', `${logIn}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`],
  ['a length and chunks', `${logIn}content-length: 2\r\n${chunked}2\r\n{}\r\n0\r\n\r\n`],
])('%s is answered with a problem document', async (_what, text) => {
  const [reply] = await ask(text);
  expect(reply).toMatchObject({ status: 400, body: { status: 400, code: 'invalid-request' } });
  expect(reply?.head).toMatch(/content-type: application\/problem\+json/i);
  expect(reply?.head.toLowerCase()).toContain(`x-request-id: ${reply?.body.request_id}`);
});

test.each([
  ['large', `x-large: ${'a'.repeat(20_000)}\r\n`],
  ['many', 'a: b\r\n'.repeat(3_000)],
])('too %s headers are refused', async (_what, headers) => {
  const [reply] = await ask(`${get}${headers}\r\n`);
  expect(reply).toMatchObject({ status: 431, body: { code: 'headers-too-large' } });
});

const ok = { status: 200 };
const timeout = { status: 408, body: { code: 'request-timeout' } };

test.each([
  ['headers', 'GET /health/live HTTP/1.1\r\n', 'x-header: ', [timeout]],
  ['a body', `${logIn}content-length: 1000\r\n\r\n`, '{"email": "', [timeout]],
  ['a body that is not wanted', `${get}content-length: 1000\r\n\r\n`, '', [ok, timeout]],
])('%s byte by byte are ended in time', async (_what, start, text, replies) => {
  const startedAt = performance.now();
  const { received } = await drip(start, text);
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  expect(repliesIn(received())).toMatchObject(replies);
});

test('a connection that says nothing is closed', async () => {
  const { ended, received } = open();
  await ended;
  expect(repliesIn(received())).toMatchObject([timeout]);
});

test('who does not read is disconnected', async () => {
  const { socket, ended } = open();
  socket.pause();
  socket.write('GET /api/v1/openapi.json HTTP/1.1\r\nhost: here\r\n\r\n'.repeat(200));
  await until('a reply that waits for its reader', () => socket.readableLength > 0);
  await until('the server to hang up', async () => (await connectionsOf(app)) === 0);
  socket.resume();
  await ended;
});

test('more connections than there may be are closed at once, and the others go on', async () => {
  const first = open();
  const others = Array.from({ length: 30 }, () => open());
  const ended = Promise.all(others.slice(19).map(({ ended }) => ended));
  first.socket.write(`${get}\r\n`);
  await ended;
  await until('the first reply', () => repliesIn(first.received())[0]?.status === 200);
});

const connectionsOf = ({ app }: TestApp): Promise<number> =>
  new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count)));

test('a body that is too large is refused before it comes', async () => {
  const tooLarge = `${logIn}content-length: 2000000\r\n`;
  for (const text of [`${tooLarge}\r\n`, `${tooLarge}expect: 100-continue\r\n\r\n`]) {
    const replies = await ask(text);
    expect(replies).toMatchObject([{ status: 413, body: { code: 'body-too-large' } }]);
    expect(replies[0]?.head).toMatch(/connection: close/i);
  }
});

test('a body without a length is refused when it is too large', async () => {
  const megabyte = `100000\r\n${' '.repeat(0x100000)}\r\n`;
  expect(await ask(`${logIn}${chunked}${megabyte}1\r\n \r\n`)).toMatchObject([{ status: 413 }]);
});

test('a body is asked for when the caller is let in, and only then', async () => {
  const expecting = 'content-length: 2\r\nexpect: 100-continue\r\n\r\n';
  const wanted = await ask(`${logIn}${expecting}{}`, 2);
  expect(wanted).toMatchObject([{ status: 100 }, { status: 422 }]);
  const refused = await ask(`${logIn.replace('auth/login', 'tickets')}${expecting}`);
  expect(refused).toMatchObject([{ status: 401 }]);
});

test('an expectation that nobody knows is ignored', async () => {
  expect(await ask(`${get}expect: miracles\r\n\r\n`)).toMatchObject([{ status: 200 }]);
});

test('requests that come together are answered in their order', async () => {
  const replies = await ask(`${get}\r\n${get.replace('live', 'nowhere')}\r\n${get}\r\n`, 3);
  expect(replies).toMatchObject([{ status: 200 }, { status: 404 }, { status: 200 }]);
});

test('nothing is written into a reply that has begun', async () => {
  const customer = await app.as('customer');
  const { socket, received, ended } = open();
  const authorization = `authorization: Bearer ${customer.token}\r\n`;
  socket.write(`GET /api/v1/events/stream HTTP/1.1\r\nhost: here\r\n${authorization}\r\n`);
  await until('the stream', () => received().includes('retry:'));
  socket.write('GARBAGE\r\n\r\n');
  await ended;
  expect(repliesOfStatus(received())).toEqual(['200']);
});

const repliesOfStatus = (text: string): (string | undefined)[] =>
  [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);

test('who leaves in the middle of a body is no error of the server', async () => {
  const lines: string[] = [];
  const logger = pino({ level: 'trace' }, { write: (line) => void lines.push(line) });
  const server = await createApp(app.config, app.container, logger);
  server.addHook('preParsing', ({ raw }, _reply, payload, done) => {
    raw.once('close', () => lines.push('left'));
    done(null, payload);
  });
  const { hostname, port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
  const socket = connect(Number(port), hostname);
  socket.end(`${logIn}content-length: 100\r\n\r\n{`);
  await until('it to be noticed', () => lines.includes('left'));
  await server.close();
  expect(lines.filter((line) => line.includes('failed'))).toEqual([]);
});
