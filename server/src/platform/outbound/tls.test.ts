import net from 'node:net';
import tls, { type TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { createOutbound } from './outbound.ts';
import { testCertificate } from './test-certificate.ts';
import { reply, startReceiver, type Answer, type Receiver } from './test-receiver.ts';

const trusted = tls.getCACertificates('default');
const trustTestCertificate = () =>
  tls.setDefaultCACertificates([...trusted, testCertificate.cert.trim()]);
beforeAll(trustTestCertificate);
afterAll(() => tls.setDefaultCACertificates(trusted));

let receiver: Receiver;
afterEach(() => receiver.close());

async function post(
  host: string,
  {
    answer = reply('ok'),
    server = tls.createServer(testCertificate),
    timeoutMs = 10_000,
  }: { answer?: Answer; server?: net.Server; timeoutMs?: number } = {},
) {
  receiver = await startReceiver(answer, server);
  const hostAndPort = `${host}:${receiver.port}`;
  const outbound = createOutbound({
    policy: { requireHttps: true, allow: new Set([hostAndPort]) },
    timeoutMs,
    responseBytesMax: 65_536,
    resolve: async () => ['127.0.0.1'],
  });
  const result = await outbound.post(`https://${hostAndPort}/`, { headers: {}, body: 'secret' });
  await receiver.isAlone();
  return result;
}

const refused = { kind: 'failure', reason: 'tls' };

describe('https', () => {
  test('goes to the server that proves the name, and tells it the name', async () => {
    const names: unknown[] = [];
    const answer: Answer = (socket) => {
      names.push((socket as TLSSocket).servername);
      reply('ok')(socket);
    };
    expect(await post('receiver.test', { answer })).toMatchObject({ status: 200, body: 'ok' });
    expect(names).toEqual(['receiver.test']);
    expect(receiver.received()).toContain(`host: receiver.test:${receiver.port}\r\n`);
  });

  test('goes to an address that the certificate names', async () => {
    expect(await post('127.0.0.1')).toMatchObject({ status: 200, body: 'ok' });
  });

  test.each(['other.test', 'a.receiver.test'])(
    'sends nothing to who cannot prove %s',
    async (host) => {
      const result = await post(host);
      expect(result).toMatchObject(refused);
      expect(result).toMatchObject({ message: expect.stringContaining('ERR_TLS_CERT_ALTNAME') });
      expect(receiver.received()).toBe('');
    },
  );

  test('sends nothing to a certificate of nobody we trust, whatever the environment says', async () => {
    tls.setDefaultCACertificates(trusted);
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const result = await post('receiver.test');
    vi.unstubAllEnvs();
    trustTestCertificate();
    expect(result).toMatchObject(refused);
    expect(receiver.received()).toBe('');
  });

  test('is not spoken to a server that knows no TLS', async () => {
    const result = await post('receiver.test', { server: net.createServer() });
    expect(result).toMatchObject(refused);
    expect(receiver.received()).not.toContain('secret');
  });

  test('with a server that says nothing times out, and lets go of it', async () => {
    const silent = { server: net.createServer(), answer: () => undefined, timeoutMs: 1_000 };
    expect(await post('receiver.test', silent)).toMatchObject({ reason: 'timeout' });
    expect(receiver.connections()).toBe(1);
  });

  test('sends nothing to a server of old TLS only', async () => {
    const server = tls.createServer({
      ...testCertificate,
      ...{ minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' },
    });
    expect(await post('receiver.test', { server })).toMatchObject(refused);
  });

  test('with a server that wants a certificate of ours fails', async () => {
    const server = tls.createServer({ ...testCertificate, requestCert: true });
    const result = await post('receiver.test', { server });
    // It may say why, or just leave.
    expect(['tls', 'reset']).toContain(result.kind === 'failure' && result.reason);
    expect(receiver.received()).toBe('');
  });
});
