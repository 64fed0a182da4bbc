import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { freePort } from './cli-process.ts';
import { startTestApp, until, type TestApp } from './harness.ts';
import { startRedis, testRedisUrl, type RedisProcess } from './redis.ts';

const redisUrl = await testRedisUrl();

const apps: TestApp[] = [];
async function start(env: Record<string, string>): Promise<TestApp> {
  const app = await startTestApp({ env });
  apps.push(app);
  return app;
}
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

describe('limits of requests', () => {
  test('are told on every reply, and what is over is 429 until the window ends', async () => {
    const app = await start({ READS_PER_MINUTE_MAX: '3', WRITES_PER_MINUTE_MAX: '1000' });
    const customer = await app.as('customer');
    for (const left of [2, 1, 0]) {
      const { status, headers } = await customer.get('/api/v1/me');
      expect(status).toBe(200);
      expect(headers['ratelimit-policy']).toBe('"read";q=3;w=60');
      expect(headers['ratelimit']).toMatch(new RegExp(`^"read";r=${left};t=\\d+$`));
    }
    const refused = await customer.get('/api/v1/me');
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate-limited', retryable: true } });
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect(refused.headers['ratelimit']).toMatch(/^"read";r=0;/);
    // Other kinds, other people and what watches the server go on.
    expect((await customer.patch('/api/v1/me', { name: 'Robin' })).status).toBe(200);
    expect((await (await app.as('customer')).get('/api/v1/me')).status).toBe(200);
    const health = await app.anonymous.get('/health/live');
    expect(health.status).toBe(200);
    expect(health.headers['ratelimit']).toBeUndefined();
  });

  test('count people who are not signed in, and guessed tokens, by their network', async () => {
    const app = await start({ READS_PER_MINUTE_MAX: '2', TRUST_PROXY: 'true' });
    const from = (address: string) => ({ 'x-forwarded-for': `6.6.6.6, ${address}` });
    const get = (address: string, headers = {}) =>
      app.anonymous.get('/api/v1/articles', { ...from(address), ...headers });
    expect((await get('2001:db8:1:2::1')).status).toBe(200);
    const guess = { authorization: 'Bearer guessed.token.here' };
    expect((await get('2001:db8:1:2::2', guess)).status).toBe(401);
    expect((await get('2001:db8:1:2:ffff::3', guess)).status).toBe(429);
    expect((await get('2001:db8:1:3::1')).status).toBe(200);
  });

  test('do not believe an address that nobody but the caller vouches for', async () => {
    const app = await start({ READS_PER_MINUTE_MAX: '1' });
    const get = (address: string) =>
      app.anonymous.get('/api/v1/articles', { 'x-forwarded-for': address });
    expect((await get('9.9.9.1')).status).toBe(200);
    expect((await get('9.9.9.2')).status).toBe(429);
  });

  test.each([
    ['SIGN_UPS_PER_HOUR_MAX', 'account', '/api/v1/auth/signup'],
    ['SIGN_UPS_PER_HOUR_MAX', 'account', '/api/v1/auth/password-resets'],
    ['SIGN_INS_PER_MINUTE_MAX', 'sign-in', '/api/v1/auth/refresh'],
    ['SEARCHES_PER_MINUTE_MAX', 'search', '/api/v1/articles/search?q=returns'],
  ])('%s bounds %s at %s', async (name, kind, path) => {
    const app = await start({ [name]: '1' });
    const ask = () =>
      kind === 'search' ? app.anonymous.get(path) : app.anonymous.post(path, { email: '' });
    expect((await ask()).status).not.toBe(429);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(refused.headers['ratelimit-policy']).toContain(`"${kind}";q=1`);
  });
});

describe('guesses of passwords', () => {
  const logIn = (app: TestApp, email: string, password: string, address: string) =>
    app.anonymous.post('/api/v1/auth/login', { email, password }, { 'x-forwarded-for': address });

  test('are few from one network, whether the account exists or not', async () => {
    const app = await start({ SIGN_IN_FAILURES_MAX: '3', TRUST_PROXY: '1' });
    const { user } = await app.as('customer');
    for (const email of [user.email, 'nobody@example.com']) {
      const replies = await Promise.all(
        Array.from({ length: 6 }, () => logIn(app, email, 'wrong wrong', '10.0.0.1')),
      );
      expect(replies.map(({ status }) => status).sort()).toEqual([401, 401, 401, 429, 429, 429]);
      const refused = replies.find(({ status }) => status === 429);
      expect(refused?.body).toMatchObject({ code: 'too-many-attempts', retryable: true });
      expect(Number(refused?.headers['retry-after'])).toBeGreaterThan(0);
    }
  });

  test('from everywhere lock out strangers only: where the account was used it stays open', async () => {
    const app = await start({ SIGN_IN_FAILURES_MAX: '2', TRUST_PROXY: '1' });
    const { email } = (await app.as('customer')).user;
    const right = 'correct horse battery staple';
    const { body } = await app.anonymous.post('/api/v1/auth/signup', {
      email: 'victim@example.com',
      name: 'Victim',
      password: right,
    });
    expect(body.email).toBe('victim@example.com');
    expect((await logIn(app, 'victim@example.com', right, '10.1.0.1')).status).toBe(200);
    for (let guess = 0; guess < 10; guess += 1) {
      const address = `10.2.0.${guess}`;
      expect((await logIn(app, 'victim@example.com', 'wrong wrong', address)).status).toBe(401);
    }
    expect((await logIn(app, 'victim@example.com', right, '10.3.0.1')).status).toBe(429);
    expect((await logIn(app, 'victim@example.com', right, '10.1.0.1')).status).toBe(200);
    expect((await logIn(app, email, 'wrong wrong', '10.3.0.1')).status).toBe(401);
  });

  test('a right password starts the count anew', async () => {
    const app = await start({ SIGN_IN_FAILURES_MAX: '2' });
    const password = 'correct horse battery staple';
    const email = 'often@example.com';
    await app.anonymous.post('/api/v1/auth/signup', { email, name: 'Often', password });
    for (let round = 0; round < 3; round += 1) {
      expect((await logIn(app, email, 'wrong wrong', '')).status).toBe(401);
      expect((await logIn(app, email, password, '')).status).toBe(200);
    }
  });

  test('with a stolen session are few too', async () => {
    const app = await start({ SIGN_IN_FAILURES_MAX: '2' });
    const customer = await app.as('customer');
    const change = () =>
      customer.put('/api/v1/me/password', {
        current_password: 'wrong wrong',
        new_password: 'a new one that is long',
      });
    expect((await change()).status).toBe(422);
    expect((await change()).status).toBe(422);
    expect(await change()).toMatchObject({ status: 429, body: { code: 'too-many-attempts' } });
  });
});

describe('a server with too much to do', () => {
  test('refuses at once what can wait, and is itself again afterwards', async () => {
    const app = await start({ REQUESTS_IN_FLIGHT_MAX: '8' });
    const customer = await app.as('customer');
    const replies = await Promise.all(
      Array.from({ length: 40 }, () => customer.get('/api/v1/tickets')),
    );
    const statuses = new Set(replies.map(({ status }) => status));
    expect([...statuses].sort()).toEqual([200, 503]);
    const refused = replies.find(({ status }) => status === 503);
    expect(refused?.body).toMatchObject({ code: 'overloaded', retryable: true });
    expect(refused?.headers['retry-after']).toBe('1');
    expect((await customer.get('/api/v1/tickets')).status).toBe(200);
  });

  test('refuses searches first and sign-ins last, and never who asks for its health', async () => {
    const app = await start({ REQUESTS_IN_FLIGHT_MAX: '4' });
    const base = await app.listen();
    // Requests whose body does not come are in hand until it does.
    const sockets = await Promise.all([0, 1, 2, 3].map(() => unfinishedPost(base)));
    try {
      await until('the server to be full', async () => {
        return (await fetch(`${base}/api/v1/auth/refresh`, { method: 'POST' })).status === 503;
      });
      for (const path of ['/api/v1/articles/search?q=x', '/api/v1/articles']) {
        expect((await fetch(base + path)).status, path).toBe(503);
      }
      expect((await fetch(`${base}/health/live`)).status).toBe(200);
      sockets.pop()?.destroy();
      await until('room for a sign-in', async () => {
        return (await fetch(`${base}/api/v1/auth/refresh`, { method: 'POST' })).status !== 503;
      });
      // Three of four: reads wait for more room than that.
      expect((await fetch(`${base}/api/v1/articles`)).status).toBe(503);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
    await until('reads again', async () => (await fetch(`${base}/api/v1/articles`)).ok);
  });
});

async function unfinishedPost(base: string): Promise<Socket> {
  const { hostname, port } = new URL(base);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  socket.write(
    'POST /api/v1/auth/refresh HTTP/1.1\r\nhost: here\r\ncontent-type: application/json\r\n' +
      'content-length: 100\r\n\r\n{',
  );
  await new Promise((resolve) => socket.once('connect', resolve));
  return socket;
}

describe.skipIf(!redisUrl)('limits with Redis', () => {
  let redis: RedisProcess | undefined;
  afterEach(async () => {
    await redis?.stop();
    redis = undefined;
  });

  const guess = async (app: TestApp) =>
    (
      await app.anonymous.post('/api/v1/auth/login', {
        email: 'x@example.com',
        password: 'wrong wrong',
      })
    ).status;

  test('are shared by instances, stay on when Redis dies, and are shared again', async () => {
    const port = await freePort();
    redis = await startRedis(port);
    const env = { REDIS_URL: `redis://127.0.0.1:${port}`, SIGN_IN_FAILURES_MAX: '4' };
    const [one, other] = [await start(env), await start(env)];
    expect([await guess(one), await guess(other), await guess(one), await guess(other)]).toEqual([
      401, 401, 401, 401,
    ]);
    expect([await guess(one), await guess(other)]).toEqual([429, 429]);

    await redis.stop();
    const alone = [];
    for (let count = 0; count < 6; count += 1) alone.push(await guess(one));
    expect(alone).toEqual([401, 401, 401, 401, 429, 429]);

    redis = await startRedis(port);
    await until('the limit to be shared again', async () => (await guess(one)) === 401, 15_000);
  });

  test('stay on when Redis is full, and when it hangs', async () => {
    const port = await freePort();
    redis = await startRedis(port);
    const env = { REDIS_URL: `redis://127.0.0.1:${port}`, SIGN_IN_FAILURES_MAX: '2' };
    await tellRedis(port, 'CONFIG SET maxmemory 1');
    const full = await start(env);
    expect([await guess(full), await guess(full), await guess(full)]).toEqual([401, 401, 429]);

    await tellRedis(port, 'CONFIG SET maxmemory 0');
    const hanging = await start(env);
    await tellRedis(port, 'FLUSHALL');
    expect(await guess(hanging)).toBe(401);
    process.kill(redis.pid, 'SIGSTOP');
    expect([await guess(hanging), await guess(hanging), await guess(hanging)]).toEqual([
      401, 401, 429,
    ]);
  });
});

async function tellRedis(port: string, command: string): Promise<void> {
  const socket = connect(Number(port), '127.0.0.1');
  socket.write(`${command}\r\n`);
  await new Promise((resolve) => socket.once('data', resolve));
  socket.destroy();
}
