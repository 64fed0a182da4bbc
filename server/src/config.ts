import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ipaddr from 'ipaddr.js';
import type { ConnectionLimits } from './platform/http/connections.ts';
import type { RequestKind } from './platform/http/request-limits.ts';

/** A candidate of the failover chain: a model behind a provider, or the keyless extractive mode. */
export type AiCandidate =
  | { provider: 'groq' | 'openai-compatible'; model: string; baseUrl: string; apiKey: string }
  | { provider: 'extractive' };

/** Everything the process takes from its environment; `.env.example` explains each value. */
export type Config = Readonly<{
  environment: 'development' | 'production';
  dataDir: string;
  host: string;
  port: number;
  publicUrl: string;
  databaseUrl: string | undefined;
  /** Where instances tell each other what has changed; without it the database does. */
  redisUrl: string | undefined;
  databasePoolMax: number;
  statementTimeoutMs: number;
  /** The first signs, all verify. Empty in development: one is kept in `dataDir`. */
  secretKeys: readonly string[];
  /** Secret shared with the host product, whose signed tokens `POST /auth/exchange` accepts. */
  exchangeSecret: string | undefined;
  corsOrigins: readonly string[];
  /** How many proxies stand in front, or whose addresses they have; false is none. */
  trustProxy: false | number | string[];
  /** Requests of one caller in a minute (`account`: in an hour), by kind; 0 is no limit. */
  requestLimits: Readonly<Record<RequestKind, number>>;
  /** Wrong passwords from one network for one account in a quarter of an hour; 0 is no limit. */
  signInFailuresMax: number;
  /** How long a search is kept; 0 keeps none. */
  searchCacheSeconds: number;
  /** When requests are refused because there are too many at once. */
  admission: Readonly<{ inFlightMax: number; lagMsMax: number }>;
  connections: Readonly<ConnectionLimits>;
  logLevel: string;
  /** What scrapes of `/metrics` send; undefined: there are none. */
  metricsToken: string | undefined;
  /** The collector that traces are sent to, as OTLP over HTTP. */
  tracesUrl: string | undefined;
  demo: boolean;
  /** Undefined: no mail is sent. */
  mail: Readonly<{ url: string; from: string; perHourMax: number }> | undefined;
  /** Whether this process works on background jobs, or leaves them to others. */
  runJobs: boolean;
  ai: Readonly<{
    enabled: boolean;
    chain: readonly AiCandidate[];
    concurrencyMax: number;
    queueWaitMs: number;
    firstByteMs: number;
    betweenChunksMs: number;
    totalMs: number;
    waitBudgetMs: number;
    /** What one customer may have in 24 hours; undefined is no limit. Cost in US dollars. */
    answersPerDay: number | undefined;
    tokensPerDay: number | undefined;
    costPerDay: number | undefined;
    /** US dollars for a million tokens, by `provider:model`. */
    prices: ReadonlyMap<string, { input: number; output: number }>;
  }>;
  answers: Readonly<{ leaseMs: number; sweepMs: number; streamsPerUserMax: number }>;
  streams: Readonly<{ keepAliveMs: number; stallMs: number; lifeMs: number; recheckMs: number }>;
  webhooks: Readonly<{
    /** Exact `host:port` that may be private and plain http, for tests and intranets. */
    allow: ReadonlySet<string>;
    /** Waits before each attempt. */
    scheduleMs: readonly number[];
    timeoutMs: number;
    /** A webhook that has failed for this long is disabled. */
    failingMs: number;
  }>;
  /** What is older is forgotten, once a day; undefined is never. */
  keptDays: Readonly<{ logs: number; tickets: number | undefined; events: number | undefined }>;
  shutdown: Readonly<{ graceMs: number; drainMs: number }>;
}>;

/** All problems of the environment at once, so that a deployment is mended in one go. */
export class ConfigError extends Error {
  constructor(problems: readonly string[]) {
    super(`The configuration is not usable:\n${problems.map((line) => `  - ${line}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

type Environment = Record<string, string | undefined>;

const groqUrl = 'https://api.groq.com/openai/v1';
const openAiUrl = 'https://api.openai.com/v1';
const secretBytesMin = 32;
const keptDaysMax = 36_500;
const defaultDataDir = fileURLToPath(new URL('../../.data', import.meta.url));

/**
 * Reads and checks the environment. Throws `ConfigError` that lists every problem.
 * Called without an argument it reads `process.env`, as the only one who does, and before that the
 * file `.env` of the current folder, whose values yield to what is set already.
 */
export function loadConfig(environment: Environment = processEnvironment()): Config {
  const problems: string[] = [];
  const read = readerOf(environment, problems);
  const production = environment['NODE_ENV'] === 'production';
  const port = read.integer('PORT', 8000, 0, 65_535);
  const host = read.text('HOST') ?? 'localhost';
  const config: Config = Object.freeze({
    environment: production ? 'production' : 'development',
    dataDir: read.text('DATA_DIR') ?? defaultDataDir,
    host,
    port,
    publicUrl: read.url('PUBLIC_URL', ['http:', 'https:']) ?? `http://localhost:${port}`,
    databaseUrl: read.url('DATABASE_URL', ['postgres:', 'postgresql:']),
    redisUrl: read.url('REDIS_URL', ['redis:', 'rediss:']),
    databasePoolMax: read.integer('DATABASE_POOL_MAX', 10, 2, 500),
    statementTimeoutMs: read.integer('STATEMENT_TIMEOUT_MS', 5_000, 100, 600_000),
    secretKeys: secretKeys(read, production, problems),
    exchangeSecret: secret('EXCHANGE_SECRET', read.text('EXCHANGE_SECRET'), problems),
    corsOrigins: read.list('CORS_ORIGINS'),
    trustProxy: trustProxy(read, problems),
    requestLimits: Object.freeze({
      read: read.integer('READS_PER_MINUTE_MAX', 1_200, 0, 10_000_000),
      search: read.integer('SEARCHES_PER_MINUTE_MAX', 120, 0, 10_000_000),
      write: read.integer('WRITES_PER_MINUTE_MAX', 300, 0, 10_000_000),
      'sign-in': read.integer('SIGN_INS_PER_MINUTE_MAX', 120, 0, 10_000_000),
      account: read.integer('SIGN_UPS_PER_HOUR_MAX', 60, 0, 10_000_000),
    }),
    signInFailuresMax: read.integer('SIGN_IN_FAILURES_MAX', 10, 0, 10_000_000),
    searchCacheSeconds: read.integer('SEARCH_CACHE_SECONDS', 600, 0, 86_400),
    admission: Object.freeze({
      inFlightMax: read.integer('REQUESTS_IN_FLIGHT_MAX', 200, 1, 1_000_000),
      lagMsMax: read.integer('EVENT_LOOP_LAG_MS_MAX', 1_000, 10, 600_000),
    }),
    connections: Object.freeze({
      max: read.integer('CONNECTIONS_MAX', 20_000, 1, 1_000_000),
      headersMs: read.integer('REQUEST_HEADERS_MS', 10_000, 100, 600_000),
      requestMs: read.integer('REQUEST_MS', 30_000, 100, 3_600_000),
      keepAliveMs: read.integer('CONNECTION_KEEP_ALIVE_MS', 72_000, 100, 3_600_000),
      idleMs: read.integer('CONNECTION_IDLE_MS', 60_000, 100, 3_600_000),
    }),
    logLevel: read.text('LOG_LEVEL') ?? (production ? 'info' : 'warn'),
    tracesUrl: read.url('OTEL_EXPORTER_OTLP_ENDPOINT', ['http:', 'https:']),
    metricsToken: secret('METRICS_TOKEN', read.text('METRICS_TOKEN'), problems),
    demo: !production && read.boolean('DEMO', true),
    runJobs: read.boolean('RUN_JOBS', true),
    mail: mail(read, problems),
    ai: Object.freeze({
      enabled: read.boolean('AI_ENABLED', true),
      chain: aiChain(read, problems),
      concurrencyMax: read.integer('AI_CONCURRENCY_MAX', 32, 1, 100_000),
      queueWaitMs: read.integer('AI_QUEUE_WAIT_MS', 15_000, 0, 600_000),
      firstByteMs: read.integer('AI_FIRST_BYTE_MS', 10_000, 10, 600_000),
      betweenChunksMs: read.integer('AI_BETWEEN_CHUNKS_MS', 15_000, 10, 600_000),
      totalMs: read.integer('AI_TOTAL_MS', 60_000, 10, 600_000),
      waitBudgetMs: read.integer('AI_WAIT_BUDGET_MS', 8_000, 0, 60_000),
      answersPerDay: read.limit('AI_ANSWERS_PER_DAY'),
      tokensPerDay: read.limit('AI_TOKENS_PER_DAY'),
      costPerDay: read.limit('AI_COST_PER_DAY'),
      prices: prices(read, problems),
    }),
    answers: Object.freeze({
      leaseMs: read.integer('ANSWER_LEASE_MS', 15_000, 200, 600_000),
      sweepMs: read.integer('ANSWER_SWEEP_MS', 5_000, 50, 600_000),
      streamsPerUserMax: read.integer('STREAMS_PER_USER_MAX', 10, 1, 1_000_000),
    }),
    streams: Object.freeze({
      keepAliveMs: read.integer('STREAM_KEEP_ALIVE_MS', 15_000, 100, 600_000),
      stallMs: read.integer('STREAM_STALL_MS', 25_000, 100, 600_000),
      lifeMs: read.integer('STREAM_LIFE_MS', 3_600_000, 1_000, 86_400_000),
      recheckMs: read.integer('STREAM_RECHECK_MS', 4_000, 50, 600_000),
    }),
    webhooks: Object.freeze({
      allow: webhookAllow(read, problems),
      scheduleMs: retrySchedule(read, problems),
      timeoutMs: read.integer('WEBHOOK_TIMEOUT_MS', 15_000, 10, 60_000),
      failingMs: read.integer('WEBHOOK_FAILING_MS', 5 * dayMs, 100, 30 * dayMs),
    }),
    keptDays: Object.freeze({
      logs: read.integer('RETENTION_LOGS_DAYS', 30, 1, keptDaysMax),
      tickets: read.optionalInteger('RETENTION_TICKETS_DAYS', 1, keptDaysMax),
      // Longer than a webhook is tried.
      events: read.optionalInteger('RETENTION_EVENTS_DAYS', 7, keptDaysMax),
    }),
    shutdown: Object.freeze({
      graceMs: read.integer('SHUTDOWN_GRACE_MS', production ? 5_000 : 0, 0, 60_000),
      drainMs: read.integer('SHUTDOWN_DRAIN_MS', production ? 15_000 : 2_000, 0, 600_000),
    }),
  });
  if (production && !config.databaseUrl) {
    problems.push(
      'DATABASE_URL is required in production, e.g. postgres://user:password@host/name',
    );
  }
  if (config.streams.keepAliveMs >= config.connections.idleMs) {
    problems.push('STREAM_KEEP_ALIVE_MS must be less than CONNECTION_IDLE_MS');
  }
  if (config.ai.costPerDay !== undefined) {
    for (const candidate of config.ai.chain) {
      if (candidate.provider === 'extractive') continue;
      const name = `${candidate.provider}:${candidate.model}`;
      if (!config.ai.prices.has(name)) {
        problems.push(`AI_COST_PER_DAY needs the price of ${name} in AI_PRICES`);
      }
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function processEnvironment(): Environment {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return process.env;
}

type Reader = ReturnType<typeof readerOf>;

function readerOf(environment: Environment, problems: string[]) {
  const text = (name: string): string | undefined => environment[name]?.trim() || undefined;
  function integer(name: string, fallback: number, min: number, max: number): number {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = Number(value);
    if (Number.isInteger(number) && number >= min && number <= max) return number;
    problems.push(`${name} must be a whole number from ${min} to ${max}, not "${value}"`);
    return fallback;
  }
  return {
    text,
    integer,
    optionalInteger: (name: string, min: number, max: number): number | undefined =>
      text(name) === undefined ? undefined : integer(name, min, min, max),
    list: (name: string): string[] =>
      (text(name) ?? '')
        .split(',')
        .map((item) => item.trim())
        .filter(Boolean),
    /** A number above zero; undefined when there is no limit. */
    limit(name: string): number | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      const number = Number(value);
      if (Number.isFinite(number) && number > 0) return number;
      problems.push(`${name} must be a number above 0, not "${value}"`);
      return undefined;
    },
    boolean(name: string, fallback: boolean): boolean {
      const value = text(name);
      if (value === undefined) return fallback;
      if (value === 'true' || value === 'false') return value === 'true';
      problems.push(`${name} must be true or false, not "${value}"`);
      return fallback;
    },
    url(name: string, protocols: string[]): string | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      if (protocols.includes(URL.parse(value)?.protocol ?? '')) return value.replace(/\/+$/, '');
      problems.push(`${name} must be a URL that starts with ${protocols.join('// or ')}//`);
      return undefined;
    },
  };
}

function secretKeys(read: Reader, production: boolean, problems: string[]): string[] {
  const keys = read.list('SECRET_KEY');
  if (production && keys.length === 0) {
    problems.push('SECRET_KEY is required in production; make one with: openssl rand -base64 48');
  }
  for (const key of keys) secret('SECRET_KEY', key, problems);
  return keys;
}

function secret(name: string, value: string | undefined, problems: string[]): string | undefined {
  if (value === undefined) return undefined;
  const weak = Buffer.byteLength(value) < secretBytesMin || new Set(value).size < 10;
  if (weak) problems.push(`${name} is too weak: use at least ${secretBytesMin} random bytes`);
  return value;
}

/** `true` is one proxy: what stands further to the left in X-Forwarded-For anybody can write. */
function trustProxy(read: Reader, problems: string[]): Config['trustProxy'] {
  const entries = read.list('TRUST_PROXY');
  const [first = 'false'] = entries;
  if (entries.length <= 1 && /^(true|false|\d{1,2})$/.test(first)) {
    return first === 'false' || first === '0' ? false : first === 'true' ? 1 : Number(first);
  }
  for (const entry of entries) {
    if (ipaddr.isValid(entry) || ipaddr.isValidCIDR(entry)) continue;
    problems.push(
      `TRUST_PROXY: "${entry}" is no address or range; else say true, false or a number of proxies`,
    );
  }
  return entries;
}

function webhookAllow(read: Reader, problems: string[]): ReadonlySet<string> {
  const entries = read.list('WEBHOOK_ALLOW').map((entry) => entry.toLowerCase());
  for (const entry of entries) {
    const isHostAndPort = /:\d{1,5}$/.test(entry) && URL.parse(`http://${entry}`) !== null;
    if (!isHostAndPort) problems.push(`WEBHOOK_ALLOW: "${entry}" is not like host:port`);
  }
  return new Set(entries);
}

const dayMs = 24 * 60 * 60 * 1_000;

/** Seconds before each attempt: at once, 5 s, 5 min, 30 min, then hours, three days in all. */
const retrySecondsDefault = '0,5,300,1800,7200,18000,36000,50400,72000,86400';

function retrySchedule(read: Reader, problems: string[]): number[] {
  const text = read.text('WEBHOOK_RETRY_SCHEDULE') ?? retrySecondsDefault;
  const seconds = text.split(',').map(Number);
  const areTimes = seconds.every((one) => Number.isFinite(one) && one >= 0 && one <= 7 * 86_400);
  if (areTimes && seconds.length <= 50) return seconds.map((one) => one * 1_000);
  problems.push(`WEBHOOK_RETRY_SCHEDULE must be seconds with commas, like ${retrySecondsDefault}`);
  return [];
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** `name@host` or `Name <name@host>`, on one line. */
const sender = /^(?:[^<>\p{C}]*<[^\s<>@\p{C}]+@[^\s<>@\p{C}]+>|[^\s<>@,\p{C}]+@[^\s<>@,\p{C}]+)$/u;

function mail(read: Reader, problems: string[]): Config['mail'] {
  const perHourMax = read.integer('MAILS_PER_HOUR_MAX', 20, 1, 100_000);
  const url = read.url('SMTP_URL', ['smtp:', 'smtps:']);
  if (url === undefined) return undefined;
  const { hostname, username, password } = new URL(url);
  if (!hostname) problems.push('SMTP_URL must name a host, e.g. smtp://localhost');
  if (!isPercentEncoded(username + password)) {
    problems.push(
      'SMTP_URL: the characters %, @, : and / of user and password are percent-encoded',
    );
  }
  const from = read.text('MAIL_FROM') ?? '';
  if (!sender.test(from)) {
    problems.push('MAIL_FROM is required with SMTP_URL, e.g. Support <support@example.com>');
  }
  return Object.freeze({ url, from, perHourMax });
}

/** `provider:model=input/output`, several with commas; dollars for a million tokens. */
function prices(read: Reader, problems: string[]): Config['ai']['prices'] {
  const known = new Map<string, { input: number; output: number }>();
  for (const entry of read.list('AI_PRICES')) {
    const [, model = '', input, output] = /^([^=]+:[^=]+)=([\d.]+)\/([\d.]+)$/.exec(entry) ?? [];
    const price = { input: Number(input), output: Number(output) };
    if (model && Number.isFinite(price.input + price.output)) known.set(model, price);
    else problems.push(`AI_PRICES: "${entry}" is not like groq:${defaultModel}=0.15/0.60`);
  }
  return known;
}

const defaultModel = 'openai/gpt-oss-120b';

function aiChain(read: Reader, problems: string[]): AiCandidate[] {
  const provider = read.text('AI_PROVIDER') ?? (read.text('GROQ_API_KEY') ? 'groq' : 'extractive');
  const first = candidate('AI_PROVIDER', provider, read.text('AI_MODEL') ?? defaultModel);
  const fallbacks = read.list('AI_FALLBACKS');
  const rest = (fallbacks.length > 0 ? fallbacks : ['extractive'])
    .filter((entry) => entry !== 'none')
    .map((entry) => {
      const [name = '', ...model] = entry.split(':');
      return candidate('AI_FALLBACKS', name, model.join(':'));
    });
  const chain = [first, ...rest].filter((entry) => entry !== undefined);
  // The extractive mode cannot fail: nothing behind it is ever reached.
  const last = chain.findIndex((entry) => entry.provider === 'extractive');
  return last < 0 ? chain : chain.slice(0, last + 1);

  function candidate(variable: string, name: string, model: string): AiCandidate | undefined {
    if (name === 'extractive') return { provider: 'extractive' };
    if (name !== 'groq' && name !== 'openai-compatible') {
      problems.push(`${variable}: "${name}" is not one of groq, openai-compatible, extractive`);
      return undefined;
    }
    if (!model) problems.push(`${variable}: name a model, e.g. ${name}:${defaultModel}`);
    // It belongs to the provider of AI_PROVIDER: others must not get what is meant for it.
    const baseUrl = name === provider ? read.url('AI_BASE_URL', ['http:', 'https:']) : undefined;
    const apiKey = read.text(name === 'groq' ? 'GROQ_API_KEY' : 'OPENAI_API_KEY');
    // Servers on the own machine (Ollama, llama.cpp) want no key; the public ones do.
    if (!apiKey && !baseUrl) {
      problems.push(
        `${name === 'groq' ? 'GROQ_API_KEY' : 'OPENAI_API_KEY'} is missing for ${name}`,
      );
    }
    return {
      provider: name,
      model,
      baseUrl: baseUrl ?? (name === 'groq' ? groqUrl : openAiUrl),
      apiKey: apiKey ?? '',
    };
  }
}
