import pg from 'pg';
import { pino } from 'pino';
import { loadConfig } from '../../server/src/config.ts';
import { connectPostgres } from '../../server/src/platform/database/connect.ts';
import { createServer } from '../../server/src/server.ts';
import type { Tables } from '../../server/src/tables.ts';
import { secretKey } from './people.ts';

/** A parameter: as it was, or what stands in its place when the statement is sent again. */
export type Value =
  | { is: 'constant'; value: unknown }
  | { is: 'session' | 'actor' | 'ticket' | 'content' | 'now' }
  /** A new id; the same number is the same id within one request. */
  | { is: 'id'; n: number };

export type Statement = { text: string; values: Value[]; inTransaction: boolean };

/**
 * What the server sends to the database for one request: steps one after the other, the statements
 * of a step at the same time on connections of their own. `session` is looked up before them, unless
 * it was not long ago.
 */
export type Plan = { session: Statement | undefined; steps: Statement[][] };

export type RecordedRequest = {
  method: 'GET' | 'POST';
  path: string;
  token: string;
  body?: { content: string };
  known: { session: string; actor: string; ticket: string };
};

type Sent = { client: object; text: string; values: unknown[]; startedAt: number; endedAt: number };
type QueryConfig = { text: string; values?: unknown[] };

const quietMs = 600_000;
const uuidPattern = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Runs each request once through an instance of the server in this process and notes the statements
 * that reach the driver. This is where the floor's SQL comes from: it cannot be out of date.
 */
export async function recordPlans<Name extends string>(
  databaseUrl: string,
  requests: Record<Name, RecordedRequest>,
): Promise<Record<Name, Plan>> {
  const config = loadConfig({
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    SECRET_KEY: secretKey,
    AI_ENABLED: 'false',
    // Nothing but the requests may send statements.
    RUN_JOBS: 'false',
    ANSWER_SWEEP_MS: String(quietMs),
    STREAM_RECHECK_MS: String(quietMs),
  });
  const database = connectPostgres<Tables>({
    url: databaseUrl,
    poolMax: config.databasePoolMax,
    statementTimeoutMs: config.statementTimeoutMs,
  });
  const server = await createServer(config, database, pino({ level: 'silent' }));
  // What a write wakes is not of the request: half of its transaction would be recorded.
  await server.container.relay.stop();
  const sendOf = ({ method, path, token, body }: RecordedRequest) =>
    server.app.inject({
      method,
      url: path,
      headers: { authorization: `Bearer ${token}` },
      payload: body,
    });
  try {
    const plans: [string, Plan][] = [];
    for (const [name, request] of Object.entries<RecordedRequest>(requests)) {
      // What only the first request of a process does is none of the floor's business, but for the
      // look-up of the session, which the server believes for half a second.
      await sendOf(request);
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const { sent, reply } = await recorded(() => sendOf(request));
      if (reply.statusCode >= 300) throw new Error(`${name}: ${reply.statusCode} ${reply.body}`);
      plans.push([name, planOf(sent, request)]);
    }
    return Object.fromEntries(plans) as Record<Name, Plan>;
  } finally {
    await server.stop();
  }
}

async function recorded<Reply>(
  work: () => Promise<Reply>,
): Promise<{ sent: Sent[]; reply: Reply }> {
  const sent: Sent[] = [];
  const { prototype } = pg.Client;
  const query = prototype.query as (...args: unknown[]) => Promise<unknown>;
  const noting = function (this: object, ...args: unknown[]): Promise<unknown> {
    const config = (typeof args[0] === 'string' ? { text: args[0] } : args[0]) as QueryConfig;
    const entry: Sent = {
      client: this,
      text: config.text,
      values: config.values ?? (args[1] as unknown[] | undefined) ?? [],
      startedAt: performance.now(),
      endedAt: Number.POSITIVE_INFINITY,
    };
    sent.push(entry);
    return query.apply(this, args).finally(() => (entry.endedAt = performance.now()));
  };
  Object.assign(prototype, { query: noting });
  try {
    return { reply: await work(), sent };
  } finally {
    Object.assign(prototype, { query });
  }
}

function planOf(sent: readonly Sent[], request: RecordedRequest): Plan {
  const ids: string[] = [];
  const plan: Plan = { session: undefined, steps: [] };
  let transactionOf: object | undefined;
  let before: Sent | undefined;
  for (const entry of sent) {
    const words = entry.text.trim().toLowerCase();
    if (/^(begin|start transaction)/.test(words)) transactionOf = entry.client;
    const values = entry.values.map((value) => valueOf(value, request, ids));
    const statement = { text: entry.text, values, inTransaction: transactionOf === entry.client };
    if (/^(commit|rollback)/.test(words)) transactionOf = undefined;
    const isTogether = before !== undefined && entry.startedAt < before.endedAt;
    if (values.some((value) => value.is === 'session')) plan.session = statement;
    else if (isTogether && plan.steps.length > 0) plan.steps.at(-1)?.push(statement);
    else plan.steps.push([statement]);
    before = entry;
  }
  return plan;
}

function valueOf(value: unknown, { known, body }: RecordedRequest, ids: string[]): Value {
  if (value instanceof Date) return { is: 'now' };
  if (value === known.session) return { is: 'session' };
  if (value === known.actor) return { is: 'actor' };
  if (value === known.ticket) return { is: 'ticket' };
  if (body && value === body.content) return { is: 'content' };
  if (typeof value !== 'string' || !uuidPattern.test(value)) return { is: 'constant', value };
  if (!ids.includes(value)) ids.push(value);
  return { is: 'id', n: ids.indexOf(value) };
}
