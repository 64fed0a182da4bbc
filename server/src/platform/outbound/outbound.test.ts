import { getEventListeners } from 'node:events';
import net from 'node:net';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createOutbound } from './outbound.ts';
import { reply, startReceiver, type Receiver } from './test-receiver.ts';
import { disguisedNames, misleadingUrls, spellings } from './test-spellings.ts';

type Options = Partial<Parameters<typeof createOutbound>[0]>;

const request = { headers: { 'content-type': 'application/json' }, body: '{"a":1}' };
const allowing = (...allow: string[]) => ({ requireHttps: false, allow: new Set(allow) });

const outboundOf = (options: Options = {}) =>
  createOutbound({
    ...{ policy: allowing(), timeoutMs: 10_000, responseBytesMax: 65_536 },
    ...options,
  });

/** A resolver that gives one list after the other, and the last one for ever. */
function namesThatChange(...lists: string[][]) {
  return vi.fn(async () => (lists.length > 1 ? lists.shift() : lists[0]) ?? []);
}

let receiver: Receiver;
const connect = vi.spyOn(net, 'connect');
beforeEach(async () => {
  receiver = await startReceiver(reply('ok'));
  connect.mockClear();
});
afterEach(async () => {
  connect.mockReset();
  await receiver.close();
});

/** Neither the listener on loopback nor any other has seen us. */
function expectNoConnection() {
  expect(connect).not.toHaveBeenCalled();
  expect(receiver.connections()).toBe(0);
}

describe('a POST', () => {
  test('brings the body and the headers, and the response back', async () => {
    const outbound = outboundOf({ policy: allowing(receiver.hostAndPort) });
    const headers = { 'Content-Type': 'application/json', 'X-Id': '7' };
    const result = await outbound.post(`${receiver.url}?a=%20b`, { headers, body: '{"ü":1}' });
    expect(result).toEqual({
      kind: 'response',
      status: 200,
      headers: { 'content-length': '2' },
      body: 'ok',
      truncated: false,
      durationMs: expect.any(Number),
    });
    expect(receiver.received()).toMatch(/^POST \/hook\?a=%20b HTTP\/1\.1\r\n/);
    const lines = receiver.received().toLowerCase().split('\r\n');
    expect(lines).toEqual(
      expect.arrayContaining([
        `host: ${receiver.hostAndPort}`,
        'content-type: application/json',
        'x-id: 7',
        'content-length: 8',
        'accept-encoding: identity',
        'connection: close',
      ]),
    );
    await receiver.isAlone();
  });

  test('keeps the headers of the connection to itself', async () => {
    const outbound = outboundOf({ policy: allowing(receiver.hostAndPort) });
    const headers = {
      ...{ Host: 'other.example', Connection: 'keep-alive', 'Content-Length': '1' },
      ...{ 'Transfer-Encoding': 'chunked', 'Accept-Encoding': 'gzip', Expect: '100-continue' },
    };
    expect(await outbound.post(receiver.url, { headers, body: 'abc' })).toMatchObject({
      status: 200,
    });
    expect(receiver.received()).not.toMatch(/other\.example|keep-alive|chunked|gzip|100-continue/);
    expect(receiver.received()).toContain('content-length: 3');
  });

  test('with a header that would end the line is not sent', async () => {
    const outbound = outboundOf({ policy: allowing(receiver.hostAndPort) });
    const headers = { 'x-id': 'a\r\nx-evil: secret' };
    const result = await outbound.post(receiver.url, { headers, body: '' });
    expect(result).toMatchObject({ kind: 'failure', reason: 'refused' });
    expect(receiver.received()).toBe('');
  });

  test('goes to a host of this network by its name when the operator named it', async () => {
    const outbound = outboundOf({ policy: allowing(`localhost:${receiver.port}`) });
    const result = await outbound.post(`http://localhost:${receiver.port}/`, request);
    expect(result).toMatchObject({ kind: 'response', status: 200 });
  });

  test('takes the next address when the first does not answer', async () => {
    const outbound = outboundOf({
      policy: allowing(`receiver:${receiver.port}`),
      resolve: namesThatChange(['127.0.0.2', '127.0.0.1']),
    });
    const result = await outbound.post(`http://receiver:${receiver.port}/`, request);
    expect(result).toMatchObject({ kind: 'response', status: 200 });
  });

  test('to a port where nobody listens is a failure to connect', async () => {
    await receiver.close();
    const outbound = outboundOf({ policy: allowing(receiver.hostAndPort) });
    const result = await outbound.post(receiver.url, request);
    expect(result).toMatchObject({ kind: 'failure', reason: 'connect' });
    expect(result).toMatchObject({ message: expect.stringContaining('ECONNREFUSED') });
    receiver = await startReceiver(reply('ok'));
  });

  test('does not follow a redirect, not even to where it could go', async () => {
    const target = receiver;
    const moved = await startReceiver(
      reply('', `HTTP/1.1 307 Moved\r\nlocation: ${target.url}\r\ncontent-length: 0`),
    );
    const outbound = outboundOf({
      policy: allowing(moved.hostAndPort, target.hostAndPort),
    });
    const result = await outbound.post(moved.url, request);
    expect(result).toMatchObject({ status: 307, headers: { location: target.url } });
    expect(target.connections()).toBe(0);
    await moved.close();
  });

  test('takes no proxy from the environment', async () => {
    const proxy = await startReceiver(reply('proxied'));
    const names = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'ALL_PROXY', 'all_proxy'];
    for (const name of names) vi.stubEnv(name, `http://${proxy.hostAndPort}`);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    vi.stubEnv('NO_PROXY', '');
    const outbound = outboundOf({ policy: allowing(receiver.hostAndPort) });
    const result = await outbound.post(receiver.url, request);
    vi.unstubAllEnvs();
    expect(result).toMatchObject({ body: 'ok' });
    expect(proxy.connections()).toBe(0);
    await proxy.close();
  });

  test('leaves nothing behind on a signal that lives long', async () => {
    const outbound = outboundOf({ policy: allowing(receiver.hostAndPort) });
    const { signal } = new AbortController();
    for (const url of [receiver.url, 'http://10.0.0.1/', receiver.url]) {
      await outbound.post(url, { ...request, signal });
    }
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    await receiver.isAlone();
  });
});

describe('no connection is made', () => {
  test('to a private or special address, in more than 200 spellings', async () => {
    const outbound = outboundOf();
    for (const host of spellings) {
      const url = `http://${host}:${receiver.port}/`;
      const result = await outbound.post(url, request);
      expect({ host, ...result }).toMatchObject({ host, kind: 'failure', reason: 'refused' });
      expect(await outbound.check(url)).toMatchObject({ ok: false, reason: 'address' });
    }
    expectNoConnection();
  });

  test('to a name of this machine or network, and the name is not even looked up', async () => {
    const resolve = namesThatChange(['127.0.0.1']);
    const outbound = outboundOf({ resolve });
    for (const host of disguisedNames) {
      const url = `http://${host}:${receiver.port}/`;
      expect(await outbound.post(url, request)).toMatchObject({ reason: 'refused' });
      expect(await outbound.check(url)).toMatchObject({ ok: false, reason: 'name' });
    }
    expect(resolve).not.toHaveBeenCalled();
    expectNoConnection();
  });

  test('to a URL that a person would misread', async () => {
    const resolve = namesThatChange(['127.0.0.1']);
    const outbound = outboundOf({ resolve });
    for (const url of misleadingUrls(String(receiver.port))) {
      expect({ url, ...(await outbound.post(url, request)) }).toMatchObject({ reason: 'refused' });
    }
    expect(resolve).not.toHaveBeenCalled();
    expectNoConnection();
  });

  test.each([
    ['private', ['127.0.0.1']],
    ['private in IPv6', ['::1']],
    ['private in disguise', ['::ffff:127.0.0.1']],
    ['for the metadata', ['169.254.169.254']],
    ['public and private', ['93.184.216.34', '127.0.0.1']],
    ['private and public', ['10.0.0.1', '93.184.216.34']],
    ['public in IPv4, private in IPv6', ['93.184.216.34', 'fd00::1']],
    ['none at all', ['example.org']],
  ])('to a name whose addresses are %s', async (_what, addresses) => {
    const outbound = outboundOf({ resolve: namesThatChange(addresses) });
    const url = `http://rebind.example:${receiver.port}/`;
    expect(await outbound.post(url, request)).toMatchObject({ kind: 'failure', reason: 'refused' });
    expect(await outbound.check(url)).toMatchObject({ ok: false, reason: 'address' });
    expectNoConnection();
  });

  test('to a name that was public when it was entered, and is private now', async () => {
    const outbound = outboundOf({ resolve: namesThatChange(['93.184.216.34'], ['127.0.0.1']) });
    const url = `http://rebind.example:${receiver.port}/`;
    expect(await outbound.check(url)).toMatchObject({ ok: true });
    expect(await outbound.post(url, request)).toMatchObject({ reason: 'refused' });
    expectNoConnection();
  });

  test('to a name that has no address, or whose lookup fails', async () => {
    const failing = () => Promise.reject(Object.assign(new Error('secret'), { code: 'ESERVFAIL' }));
    for (const resolve of [namesThatChange([]), failing]) {
      const outbound = outboundOf({ resolve });
      const result = await outbound.post('http://gone.example/', request);
      expect(result).toMatchObject({ kind: 'failure', reason: 'dns' });
      expect(result).not.toMatchObject({ message: expect.stringContaining('secret') });
      expect(await outbound.check('http://gone.example/')).toMatchObject({ reason: 'dns' });
    }
    expectNoConnection();
  });

  test('when the lookup takes too long, or ends after the caller gave up', async () => {
    const late = Promise.withResolvers<string[]>();
    const outbound = outboundOf({ timeoutMs: 50, resolve: () => late.promise });
    const url = 'http://slow.example/';
    expect(await outbound.post(url, request)).toMatchObject({ reason: 'timeout' });
    expect(await outbound.check(url)).toMatchObject({ ok: false, reason: 'dns' });
    const caller = new AbortController();
    const result = outbound.post(url, { ...request, signal: caller.signal });
    caller.abort();
    expect(await result).toMatchObject({ reason: 'aborted' });
    late.resolve(['93.184.216.34']);
    await late.promise;
    await new Promise(setImmediate);
    expectNoConnection();
  });

  test('for a caller who had given up before', async () => {
    const resolve = namesThatChange(['93.184.216.34']);
    const outbound = outboundOf({ policy: allowing(receiver.hostAndPort), resolve });
    for (const url of [receiver.url, 'http://public.example/']) {
      const result = await outbound.post(url, { ...request, signal: AbortSignal.abort() });
      expect(result).toMatchObject({ kind: 'failure', reason: 'aborted' });
    }
    expect(resolve).not.toHaveBeenCalled();
    expectNoConnection();
  });
});

describe('a connection that was made', () => {
  test('goes to the addresses that were checked: there is one look at DNS', async () => {
    const resolve = namesThatChange(['93.184.216.34', '2606:4700:4700::1111'], ['127.0.0.1']);
    const outbound = outboundOf({ resolve });
    const asked: unknown[] = [];
    connect.mockImplementation(((options: net.TcpNetConnectOpts) => {
      options.lookup?.('rebind.example', { all: true }, (_error, found) => asked.push(found));
      return new net.Socket().destroy(new Error('enough'));
    }) as typeof net.connect);
    const result = await outbound.post(`http://rebind.example:${receiver.port}/`, request);
    expect(result).toMatchObject({ kind: 'failure', reason: 'connect' });
    expect(resolve).toHaveBeenCalledTimes(1);
    expect(asked).toEqual([
      [
        { address: '93.184.216.34', family: 4 },
        { address: '2606:4700:4700::1111', family: 6 },
      ],
    ]);
    expect(receiver.connections()).toBe(0);
  });

  test.each(['http', 'https'])(
    'but ended at a private address carries no byte (%s)',
    async (scheme) => {
      const { port } = receiver;
      // As when something below us sends the packets elsewhere.
      const elsewhere = new net.Socket().connect(port, '127.0.0.1');
      connect.mockImplementation(() => elsewhere);
      const outbound = outboundOf({ resolve: namesThatChange(['93.184.216.34']) });
      const result = await outbound.post(`${scheme}://public.example:${port}/`, request);
      expect(result).toMatchObject({ kind: 'failure', reason: 'refused' });
      await receiver.isAlone();
      expect(elsewhere.bytesWritten).toBe(0);
      expect(receiver.received()).toBe('');
    },
  );
});

describe('a check of a URL', () => {
  test('looks at every address of the name, and gives the URL', async () => {
    const resolve = namesThatChange(['93.184.216.34']);
    const checked = await outboundOf({ resolve }).check('https://Example.com/a');
    expect(checked.ok && checked.url.href).toBe('https://example.com/a');
    expect(resolve).toHaveBeenCalledWith('example.com', expect.objectContaining({ local: false }));
    expectNoConnection();
  });

  test('looks up neither an address nor what the operator allowed', async () => {
    const resolve = namesThatChange(['127.0.0.1']);
    const outbound = outboundOf({ policy: allowing('receiver:9000'), resolve });
    expect(await outbound.check('http://receiver:9000/')).toMatchObject({ ok: true });
    expect(await outbound.check('https://93.184.216.34/')).toMatchObject({ ok: true });
    expect(resolve).not.toHaveBeenCalled();
  });
});
