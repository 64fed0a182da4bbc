import { randomUUIDv7 } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import pg from 'pg';
import type { Plan, Statement } from './support/recording.ts';
import { answerQuestions } from './support/worker.ts';

/*
 * What the same work costs without a product around it: `node:http` and `pg`, the statements that
 * the server sends (recorded from it, so that they are the same ones), prepared by name, as many
 * round trips on a pool of the same size, and `JSON.stringify`. It checks no token, validates
 * nothing, and believes a session as long as the server does.
 */

export type PlanName = 'reads' | 'writes' | 'lists';

export type FloorAsk = {
  databaseUrl: string;
  poolMax: number;
  plans: Record<PlanName, Plan>;
  sessionBelievedMs: number;
};

type Row = Record<string, unknown>;
type Request = { session: string; ticket: string; content: string };

// As the server reads them.
pg.types.setTypeParser(20, Number);

answerQuestions<FloorAsk, string>(async ({ databaseUrl, poolMax, plans, sessionBelievedMs }) => {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolMax });
  const sessions = new Map<string, { readAt: number; row: Row | undefined }>();
  const names = new Map<string, string>();

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, ticket = ''] = /^\/api\/v1\/tickets\/([0-9a-f-]{36})/.exec(incoming.url ?? '') ?? [];
    const session = String(incoming.headers['x-session-id']);
    if (incoming.method === 'POST') {
      const { content } = JSON.parse(await readText(incoming)) as { content: string };
      const results = await work(plans.writes, { session, ticket, content });
      send(response, 201, { message: results.at(-1)?.[0], answer: null });
    } else if (ticket) {
      const [tickets, messages] = await work(plans.reads, { session, ticket, content: '' });
      send(response, 200, { ...tickets?.[0], messages: messages?.reverse() });
    } else {
      const [tickets] = await work(plans.lists, { session, ticket: '', content: '' });
      send(response, 200, { data: tickets?.slice(0, 25), next_cursor: null });
    }
  }

  async function work(plan: Plan, request: Request): Promise<Row[][]> {
    const actor = String((await sessionOf(plan, request))?.['userId']);
    const ids: string[] = [];
    const parametersOf = (statement: Statement): unknown[] =>
      statement.values.map((value) => {
        if (value.is === 'constant') return value.value;
        if (value.is === 'now') return new Date();
        if (value.is === 'actor') return actor;
        if (value.is === 'id') return (ids[value.n] ??= randomUUIDv7());
        return request[value.is];
      });
    const results: Row[][] = [];
    let client: pg.PoolClient | undefined;
    for (const step of plan.steps) {
      if (step.some((statement) => statement.inTransaction)) client ??= await pool.connect();
      const rows = await Promise.all(
        step.map(async (statement) => {
          const query = queryOf(statement.text, parametersOf(statement));
          const on = statement.inTransaction ? client : undefined;
          return (await (on ?? pool).query<Row>(query)).rows;
        }),
      );
      results.push(...rows);
      if (step.some((statement) => statement.text === 'commit')) {
        client?.release();
        client = undefined;
      }
    }
    return results;
  }

  async function sessionOf(plan: Plan, request: Request): Promise<Row | undefined> {
    const known = sessions.get(request.session);
    const now = Date.now();
    if (known && now - known.readAt < sessionBelievedMs) return known.row;
    if (!plan.session) throw new Error('The server was recorded without a look-up of the session.');
    const { rows } = await pool.query<Row>(queryOf(plan.session.text, [request.session]));
    sessions.set(request.session, { readAt: now, row: rows[0] });
    return rows[0];
  }

  function queryOf(text: string, values: unknown[]): pg.QueryConfig {
    const name = names.get(text) ?? `statement ${names.size}`;
    names.set(text, name);
    return { name, text, values };
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}
