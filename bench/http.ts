import { createRandom } from '../server/test/random.ts';
import type { FloorAsk, PlanName } from './floor.ts';
import { seed, type Bench, type Finding, type Question } from './question.ts';
import type { LoadAsk, LoadConnection, LoadReply } from './support/load.ts';
import { insertPeople, secretKey, type Person } from './support/people.ts';
import { cpuSeconds, type Worker } from './support/processes.ts';
import { recordPlans } from './support/recording.ts';
import { median, rounded } from './support/statistics.ts';
import { insertTickets, messagesPerTicket } from './support/tickets.ts';

/*
 * How many requests a second, against the same statements without a product around them?
 * reads:  GET a ticket with its newest messages, as staff.
 * lists:  GET the 25 tickets that changed last, as staff.
 * writes: POST a public reply of staff to a ticket that a person has taken over. It starts no answer,
 *         but goes the way of every reply: the lock, the take-over's fence, message, event, commit.
 */

const connectionCount = 20;
const ticketsPerConnection = 100;
const customerCount = 200;
const poolMax = 10;
/** `believedMs` of live-sessions.ts: the floor must not ask more often than the server does. */
const sessionBelievedMs = 500;
const reach = 0.7;
const warmUpSeconds = 5;

type Side = { url: string; pid: number };

export const http: Question = { names: ['reads', 'lists', 'writes'], ask };

async function ask(bench: Bench, wanted: ReadonlySet<string>): Promise<Finding[]> {
  const ticketCount = bench.quick ? 2_000 : 10_000;
  const { url: databaseUrl, db, settle, drop } = await bench.databases.create();
  const customers = await insertPeople(db, 'customer', customerCount);
  const agents = await insertPeople(db, 'agent', connectionCount);
  const tickets = await insertTickets(db, ticketCount, { customers, agents });
  await settle();
  const plans = await plansOf(databaseUrl, agents[0], tickets[0]);

  const server = await bench.processes.startServer(
    {
      NODE_ENV: 'production',
      DATABASE_URL: databaseUrl,
      DATABASE_POOL_MAX: String(poolMax),
      SECRET_KEY: secretKey,
    },
    { profile: bench.profileOf('http') },
  );
  const floorWorker = bench.processes.startWorker<FloorAsk, string>(
    new URL('floor.ts', import.meta.url),
  );
  const floorUrl = await floorWorker.ask({ databaseUrl, poolMax, plans, sessionBelievedMs });
  const load = bench.processes.startWorker<LoadAsk, LoadReply>(
    new URL('support/load.ts', import.meta.url),
  );

  const findings: Finding[] = [];
  // Writes come last: they make the conversations longer, and the lists' order move.
  for (const name of (['reads', 'lists', 'writes'] as const).filter((name) => wanted.has(name))) {
    bench.tell(name);
    const connections = connectionsOf(name, agents, tickets);
    const sides = { server, floor: { url: floorUrl, pid: floorWorker.pid } };
    const measured = await turnAbout(bench, load, sides, connections);
    const { session, steps } = plans[name];
    findings.push(
      findingOf(name, measured, {
        dataset: { tickets: ticketCount, messagesPerTicket, seed },
        connections: connectionCount,
        poolMax,
        statements: steps.flat().length,
        roundTrips: steps.length,
        sql: [session, ...steps.flat()].map((statement) => statement?.text),
      }),
    );
  }
  await Promise.all([server.stop(), floorWorker.stop(), load.stop()]);
  await drop();
  return findings;
}

function plansOf(databaseUrl: string, agent: Person | undefined, ticket: string | undefined) {
  if (!agent || !ticket) throw new Error('The data set is empty.');
  const { token, userId: actor, sessionId: session } = agent;
  const common = { token, known: { session, actor, ticket } };
  return recordPlans<PlanName>(databaseUrl, {
    reads: { method: 'GET', path: `/api/v1/tickets/${ticket}`, ...common },
    lists: { method: 'GET', path: '/api/v1/tickets?limit=25', ...common },
    writes: {
      method: 'POST',
      path: `/api/v1/tickets/${ticket}/messages`,
      body: { content },
      ...common,
    },
  });
}

const content =
  'We have sent you a return label by mail. Please put it on the parcel and hand it in within ' +
  'fourteen days; we pay the amount back as soon as the parcel has arrived.';

/** Each connection has a person and tickets of its own, so that no two wait for one row's lock. */
function connectionsOf(
  name: PlanName,
  agents: readonly Person[],
  tickets: readonly string[],
): LoadConnection[] {
  const random = createRandom(seed);
  return agents.map(({ token, sessionId }, at) => {
    const own = tickets.filter((_, ticketAt) => ticketAt % agents.length === at);
    // The floor takes the session's id as it is; the server takes the token.
    const headers = { authorization: `Bearer ${token}`, 'x-session-id': sessionId };
    if (name === 'lists') return { method: 'GET', headers, paths: ['/api/v1/tickets?limit=25'] };
    const paths = Array.from(
      { length: ticketsPerConnection },
      () => `/api/v1/tickets/${own[Math.floor(random() * own.length)]}`,
    );
    if (name === 'reads') return { method: 'GET', headers, paths };
    return {
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      paths: paths.map((path) => `${path}/messages`),
      body: JSON.stringify({ content }),
    };
  });
}

type Round = LoadReply & { cpuMicrosecondsPerRequest: number };
type Measured = Record<'server' | 'floor', Round[]>;

async function turnAbout(
  { quick }: Bench,
  load: Worker<LoadAsk, LoadReply>,
  sides: Record<'server' | 'floor', Side>,
  connections: LoadConnection[],
): Promise<Measured> {
  const [rounds, seconds] = quick ? [5, 1] : [15, 1];
  const measured: Measured = { server: [], floor: [] };
  // Round 0 is for the compilers and caches of both.
  for (let round = 0; round <= rounds; round += 1) {
    for (const side of ['server', 'floor'] as const) {
      const { url, pid } = sides[side];
      const cpuBefore = cpuSeconds([pid]);
      const reply = await load.ask({
        url,
        seconds: round > 0 ? seconds : warmUpSeconds,
        connections,
      });
      if (reply.failures > 0) throw new Error(`${side}: ${reply.failures} requests failed`);
      if (reply.requests === 0) throw new Error(`${side}: no request came back`);
      const cpu = cpuSeconds([pid]) - cpuBefore;
      const cpuMicrosecondsPerRequest = Math.round((cpu / reply.requests) * 1e6);
      if (round > 0) measured[side].push({ ...reply, cpuMicrosecondsPerRequest });
    }
  }
  return measured;
}

function findingOf(name: PlanName, { server, floor }: Measured, details: object): Finding {
  const summaryOf = (rounds: readonly Round[]) => ({
    perSecond: Math.round(median(rounds.map((round) => round.perSecond))),
    p50Ms: rounded(median(rounds.map((round) => round.p50Ms)), 1),
    p99Ms: rounded(median(rounds.map((round) => round.p99Ms)), 1),
    cpuMicrosecondsPerRequest: median(rounds.map((round) => round.cpuMicrosecondsPerRequest)),
    rounds: rounds.map((round) => Math.round(round.perSecond)),
  });
  const [ours, theirs] = [summaryOf(server), summaryOf(floor)];
  // Of each round its own ratio: a disturbance that both sides saw then falls out.
  const ratio = rounded(
    median(server.map((round, at) => round.perSecond / (floor[at]?.perSecond ?? Number.NaN))),
  );
  const shown = ({ perSecond }: { perSecond: number }) =>
    `${perSecond.toLocaleString('en')} requests/s`;
  return {
    question: name,
    server: shown(ours),
    floor: shown(theirs),
    ratio,
    reach: `≥ ${reach.toFixed(2)}`,
    reached: ratio >= reach,
    details: { server: ours, floor: theirs, ...details },
  };
}
