import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestApp, type TestApp } from '../../../test/harness.ts';
import { createApp } from '../../app.ts';

let app: TestApp;
beforeAll(async () => {
  app = await startTestApp();
});
afterAll(() => app.close());

const docsPages = ['/api/v1/docs', '/api/v1/docs/', '/api/v1/redoc'];
const pages = ['/', '/set-password', ...docsPages];

/** What a page loads, as paths of this server. */
function loadedBy(url: string, html: string): string[] {
  const targets = [...html.matchAll(/<(?:script|link|img)\b[^>]*?\s(?:src|href)="([^"]+)"/g)];
  return targets.map(([, target = '']) => {
    const { origin, pathname } = new URL(target, `http://here${url}`);
    expect(origin, target).toBe('http://here');
    return pathname;
  });
}

const directivesOf = (policy = ''): Map<string, string> =>
  new Map(
    policy.split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(' ');
      return [name, sources.join(' ')];
    }),
  );

describe.each(pages)('the page %s', (url) => {
  test('loads what is there, and only from here', async () => {
    const { status, headers, body } = await app.anonymous.get(url);
    expect(status).toBe(200);
    expect(headers['content-type']).toBe('text/html; charset=utf-8');
    const targets = loadedBy(url, body);
    expect(targets.length).toBeGreaterThan(1);
    for (const target of targets) {
      const reply = await app.anonymous.get(target);
      expect(reply.status, target).toBe(200);
      expect(reply.headers['content-type'], target).toMatch(/^(text|application|image)\/\S+/);
    }
  });

  test('has no script and no style written into it', async () => {
    const { body } = await app.anonymous.get(url);
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)/);
    expect(body).not.toMatch(/<style|\sstyle=|\son[a-z]+=|javascript:/);
  });

  test('may run nothing that is not served from here', async () => {
    const { headers } = await app.anonymous.get(url);
    const directives = directivesOf(headers['content-security-policy']);
    expect(directives.get('default-src')).toBe("'self'");
    expect(directives.get('frame-ancestors')).toBe("'none'");
    for (const name of ['script-src', 'script-src-elem', 'worker-src', 'connect-src', 'font-src']) {
      expect(directives.has(name), name).toBe(false);
    }
  });
});

test('only the docs pages may write styles as they run', async () => {
  const styleSources = async (url: string) => {
    const { headers } = await app.anonymous.get(url);
    return directivesOf(headers['content-security-policy']).get('style-src');
  };
  for (const url of docsPages) expect(await styleSources(url)).toBe("'self' 'unsafe-inline'");
  for (const url of [
    '/',
    '/set-password',
    '/api/v1/openapi.json',
    '/api/v1/articles',
    '/nowhere',
  ]) {
    expect(await styleSources(url), url).toBeUndefined();
  }
});

test('every link of the first page leads somewhere', async () => {
  const { body } = await app.anonymous.get('/');
  const links = [...String(body).matchAll(/<a href="([^"]+)"/g)].map(([, link = '']) => link);
  expect(links).toContain('/api/v1/docs');
  expect(links).toContain('/api/v1/redoc');
  for (const link of links) expect((await app.anonymous.get(link)).status, link).toBe(200);
});

test('the ReDoc bundle asks no other server for anything', async () => {
  const { body } = await app.anonymous.get('/api/v1/redoc/redoc.standalone.js');
  const foreign = /cdn\.redoc|fonts\.googleapis|sourceMappingURL=redoc|createObjectURL\(new/;
  expect(String(body).match(foreign)).toBeNull();
  expect((await app.anonymous.get('/api/v1/redoc/logo.svg')).status).toBe(200);
  expect((await app.anonymous.get('/api/v1/redoc/LICENSE')).body).toContain('MIT License');
});

test('no file beside those of the pages is served', async () => {
  for (const path of ['../pages.ts', '..%2fmake-redoc.ts', '%2e%2e/make-redoc.ts', 'nothing.js']) {
    const reply = await app.anonymous.get(`/api/v1/redoc/${path}`);
    expect(reply.status, path).toBeGreaterThanOrEqual(400);
    expect(reply.headers['content-type'], path).toMatch(/^application\/problem\+json/);
  }
});

test('a server that stops says so in a problem document', async () => {
  const server = await createApp(app.config, app.container, pino({ level: 'silent' }));
  const replies: Response[] = [];
  server.addHook('preClose', async () => {
    replies.push(await fetch(`${url}/api/v1/health-check`));
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  await server.close();
  const [reply] = replies;
  expect(reply?.status).toBe(503);
  expect(reply?.headers.get('retry-after')).toBe('2');
  expect(await reply?.json()).toMatchObject({ code: 'shutting-down', retryable: true });
});

test('a server that stops gives the replies that it owes, and is gone with them', async () => {
  const server = await createApp(app.config, app.container, pino({ level: 'silent' }));
  const asked = Promise.withResolvers<void>();
  const stopping = Promise.withResolvers<void>();
  server.get('/slow', { config: { policy: 'public' } }, async () => {
    asked.resolve();
    await stopping.promise;
    return { done: true };
  });
  server.addHook('preClose', (done) => {
    setTimeout(stopping.resolve, 50);
    done();
  });
  const url = await server.listen({ host: '127.0.0.1', port: 0 });
  const reply = fetch(`${url}/slow`);
  await asked.promise;
  const startedAt = performance.now();
  await Promise.all([server.close(), reply]);
  expect(await (await reply).json()).toEqual({ done: true });
  expect(performance.now() - startedAt).toBeLessThan(2_000);
});
