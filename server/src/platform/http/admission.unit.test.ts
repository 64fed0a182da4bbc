import { pino } from 'pino';
import { expect, test } from 'vitest';
import { OverloadError, registerAdmission } from './admission.ts';
import { createHttpServer } from './server.ts';

test('a thousand refusals are one line in the log', async () => {
  const lines: { level: number; msg: string }[] = [];
  const logger = pino({ level: 'info' }, { write: (line) => lines.push(JSON.parse(line)) });
  const app = createHttpServer({
    logger,
    trustProxy: false,
    connections: { max: 100, headersMs: 0, requestMs: 0, keepAliveMs: 0, idleMs: 0 },
    headers: {},
    userOf: () => undefined,
    failureOf: (error) =>
      error instanceof OverloadError
        ? { status: 503, code: 'overloaded', detail: error.message, isSaidElsewhere: true }
        : undefined,
  });
  registerAdmission(app, { inFlightMax: 1, lagMsMax: 600_000 });
  const release = Promise.withResolvers<object>();
  app.get('/', () => release.promise);
  await app.ready();
  // A request of `inject` begins when somebody waits for it.
  const first = app.inject('/').then(({ statusCode }) => statusCode);
  const others = await Promise.all(Array.from({ length: 1_000 }, () => app.inject('/')));
  expect(new Set(others.map(({ statusCode }) => statusCode))).toEqual(new Set([503]));
  expect(lines.map(({ msg }) => msg)).toEqual(['more to do than we can: refusing requests']);
  release.resolve({});
  expect(await first).toBe(200);
  await app.close();
});
