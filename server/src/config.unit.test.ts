import { describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from './config.ts';

const strong = 'kP0b1Q9x7Zr4tY8w2Lm5Nc3Vd6Fg1Hj0Sa9Ee7';

test('with nothing set it is a development server that quotes articles', () => {
  expect(loadConfig({})).toMatchObject({
    environment: 'development',
    host: 'localhost',
    port: 8000,
    databaseUrl: undefined,
    demo: true,
    ai: { enabled: true, chain: [{ provider: 'extractive' }] },
  });
});

test('production lists all problems at once', () => {
  const load = () => loadConfig({ NODE_ENV: 'production', PORT: 'x', AI_ENABLED: 'yes' });
  expect(load).toThrow(ConfigError);
  for (const name of ['SECRET_KEY', 'DATABASE_URL', 'PORT', 'AI_ENABLED']) {
    expect(load).toThrow(name);
  }
});

test('a weak secret is refused, one of several too', () => {
  expect(() => loadConfig({ SECRET_KEY: `${strong},short` })).toThrow(/SECRET_KEY is too weak/);
  expect(() => loadConfig({ SECRET_KEY: 'a'.repeat(64) })).toThrow(/too weak/);
  expect(loadConfig({ SECRET_KEY: `${strong},${strong}x` }).secretKeys).toHaveLength(2);
});

test('a stream may not be silent for as long as a connection may', () => {
  const load = (idleMs: string) =>
    loadConfig({ STREAM_KEEP_ALIVE_MS: '5000', CONNECTION_IDLE_MS: idleMs });
  expect(load('5001').connections.idleMs).toBe(5_001);
  expect(() => load('5000')).toThrow(/STREAM_KEEP_ALIVE_MS must be less/);
});

test('what is kept for a time is kept for good unless it is set, but for logs', () => {
  const kept = (environment: Record<string, string>) => loadConfig(environment).keptDays;
  expect(kept({})).toEqual({ logs: 30, tickets: undefined, events: undefined });
  expect(kept({ RETENTION_TICKETS_DAYS: '365' })).toMatchObject({ tickets: 365 });
  for (const name of ['LOGS', 'TICKETS', 'EVENTS']) {
    expect(() => kept({ [`RETENTION_${name}_DAYS`]: '0' })).toThrow(`RETENTION_${name}_DAYS`);
  }
});

describe('the chain of providers', () => {
  const chain = (environment: Record<string, string>) =>
    loadConfig(environment).ai.chain.map((entry) =>
      'model' in entry ? `${entry.provider}:${entry.model}` : entry.provider,
    );

  test('is groq, then extractive, as soon as there is a key', () => {
    expect(chain({ GROQ_API_KEY: 'k' })).toEqual(['groq:openai/gpt-oss-120b', 'extractive']);
  });

  test('ends where it is told to', () => {
    expect(chain({ GROQ_API_KEY: 'k', AI_FALLBACKS: 'none' })).toHaveLength(1);
    expect(
      chain({
        GROQ_API_KEY: 'k',
        AI_MODEL: 'm',
        AI_BASE_URL: 'http://localhost:1',
        OPENAI_API_KEY: 'k',
        AI_FALLBACKS: 'groq:small:free, openai-compatible:other, extractive, groq:never',
      }),
    ).toEqual(['groq:m', 'groq:small:free', 'openai-compatible:other', 'extractive']);
  });

  test.each([
    [{ AI_PROVIDER: 'magic' }, /magic/],
    [{ AI_PROVIDER: 'groq' }, /GROQ_API_KEY is missing/],
    [{ AI_PROVIDER: 'openai-compatible' }, /OPENAI_API_KEY is missing/],
    [{ GROQ_API_KEY: 'k', AI_FALLBACKS: 'groq' }, /name a model/],
    [{ GROQ_API_KEY: 'k', AI_BASE_URL: 'ftp://x' }, /AI_BASE_URL/],
    [
      { GROQ_API_KEY: 'k', AI_COST_PER_DAY: '1' },
      /AI_COST_PER_DAY needs the price of groq:openai\/gpt-oss-120b/,
    ],
    [{ AI_PRICES: 'groq=1' }, /AI_PRICES: "groq=1"/],
    [{ AI_TOKENS_PER_DAY: '-1' }, /AI_TOKENS_PER_DAY must be a number above 0/],
  ])('%j is refused', (environment, message) => {
    expect(() => loadConfig(environment as Record<string, string>)).toThrow(message);
  });
});

describe('mail', () => {
  const SMTP_URL = 'smtp://me:p%40ss@mail.example:2525';

  test('is off without a server, whatever else is set', () => {
    expect(loadConfig({ MAIL_FROM: 'nonsense' }).mail).toBeUndefined();
  });

  test.each(['support@shop.example', 'The Shop <support@shop.example>', '<support@shop.example>'])(
    'comes from %s',
    (from) => {
      expect(loadConfig({ SMTP_URL, MAIL_FROM: from }).mail).toEqual({
        url: SMTP_URL,
        from,
        perHourMax: 20,
      });
    },
  );

  test.each([
    [{ SMTP_URL }, /MAIL_FROM is required/],
    [{ SMTP_URL, MAIL_FROM: 'The Shop' }, /MAIL_FROM/],
    [{ SMTP_URL, MAIL_FROM: 'a@b.example, c@d.example' }, /MAIL_FROM/],
    [{ SMTP_URL, MAIL_FROM: 'A <a@b.example>\r\nBcc: c@d.example' }, /MAIL_FROM/],
    [{ SMTP_URL: 'http://mail.example', MAIL_FROM: 'a@b.example' }, /SMTP_URL must be a URL/],
    [{ SMTP_URL: 'smtp://me:50%@mail.example', MAIL_FROM: 'a@b.example' }, /percent-encoded/],
    [{ SMTP_URL: 'smtp:mail', MAIL_FROM: 'a@b.example' }, /SMTP_URL must name a host/],
    [{ MAILS_PER_HOUR_MAX: '0' }, /MAILS_PER_HOUR_MAX/],
  ])('%j is refused', (environment, message) => {
    expect(() => loadConfig(environment as Record<string, string>)).toThrow(message);
  });
});
