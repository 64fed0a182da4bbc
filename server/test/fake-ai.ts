import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text as readText } from 'node:stream/consumers';
import { answerScenarios } from './fake-ai/answers.ts';
import {
  clientLeft,
  createExchange,
  type ChatBody,
  type Exchange,
  type RecordedRequest,
} from './fake-ai/exchange.ts';
import { failureScenarios } from './fake-ai/failures.ts';
import { createGate } from './fake-ai/gate.ts';
import type { Scenario, Scenarios } from './fake-ai/scenario.ts';
import { brokenScenarios, tolerableScenarios } from './fake-ai/streams.ts';

export { fakeOrganizationId, type RecordedRequest } from './fake-ai/exchange.ts';

/** Every scenario by name, each with the outcome that a correct client reports. */
export const fakeAiScenarios: Scenarios = {
  ...answerScenarios,
  ...tolerableScenarios,
  ...brokenScenarios,
  ...failureScenarios,
};

/** A reply of a test's own, or `scenario?parameter=value`. */
export type FakeReply = string | Scenario['reply'];

/** A benchmark sends more than anyone will look at. */
const recordedMax = 1_000;
const defaultScenario = 'answer';

export type FakeAi = Awaited<ReturnType<typeof startFakeAi>>;

/**
 * An AI provider on loopback that speaks Groq's wire, under any path that ends in
 * `/chat/completions` or `/models`. The scenario of a reply comes from `script` (completions only),
 * else from the header `x-fake-scenario`, from the path (`/fake/rate-limited/v1/…`), or from the
 * model's name (`fake/slow?delay=20`). All else gets `answer`.
 */
export async function startFakeAi({ port = 0, host = '127.0.0.1' } = {}) {
  const requests: RecordedRequest[] = [];
  const gate = createGate();
  let scripted: FakeReply[] = [];
  let arrivals: { count: number; resolve: () => void }[] = [];

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      if (error !== clientLeft) response.destroy(error instanceof Error ? error : undefined);
    });
  });

  async function answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(incoming, response);
    const isChat = request.method === 'POST' && request.path.endsWith('/chat/completions');
    const fake = (isChat ? scripted.shift() : undefined) ?? scenarioNamed(request);
    const [name = '', query] = typeof fake === 'string' ? fake.split('?') : ['script'];
    request.scenario = name;
    if (isChat) announce(request);
    const reply = typeof fake === 'function' ? fake : replyNamed(name, request, isChat);
    const parameters = new URLSearchParams(query);
    await reply(createExchange({ request, response, parameters, gate }));
    if (!response.writableEnded) response.end();
  }

  function replyNamed(name: string, { method, path }: RecordedRequest, isChat: boolean) {
    const isModels = method === 'GET' && path.endsWith('/models');
    if (isModels && name === defaultScenario) return listModels;
    return (isModels || isChat ? fakeAiScenarios[name]?.reply : undefined) ?? unknownRequest;
  }

  /** Makes the request visible to the test that waits for it. */
  function announce(request: RecordedRequest): void {
    requests.push(request);
    if (requests.length > recordedMax) requests.shift();
    for (const { resolve } of arrivals.filter(({ count }) => requests.length >= count)) resolve();
    arrivals = arrivals.filter(({ count }) => requests.length < count);
  }

  /** Resolves to the completion request number `count` (from 1) as soon as it is here. */
  async function received(count = 1): Promise<RecordedRequest> {
    if (requests.length < count) {
      await new Promise<void>((resolve) => arrivals.push({ count, resolve }));
    }
    const request = requests[count - 1];
    if (!request) throw new Error(`The fake AI has forgotten request ${count}.`);
    return request;
  }

  /** Replies for the next completions, before all other ways to choose one. */
  function script(...replies: FakeReply[]): void {
    scripted.push(...replies);
  }

  function reset(): void {
    gate.release();
    requests.length = 0;
    scripted = [];
    arrivals = [];
  }

  async function close(): Promise<void> {
    gate.release();
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  const address = server.address() as AddressInfo;
  const url = `http://${host}:${address.port}`;
  return { url, requests, received, script, hold: gate.hold, reset, close };
}

async function readRequest(
  incoming: IncomingMessage,
  response: ServerResponse,
): Promise<RecordedRequest> {
  const { method = '', url = '', headers } = incoming;
  const [path = ''] = url.split('?');
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const port = incoming.socket.remotePort ?? 0;
  const state = { scenario: '', frames: 0, aborted: false, cut: false, ended };
  const request: RecordedRequest = { method, path, headers, port, body: {}, ...state };
  response.once('close', () => {
    request.aborted = !response.writableFinished && !request.cut;
    resolve();
  });
  const body = await readText(incoming);
  if (body !== '') request.body = JSON.parse(body) as ChatBody;
  return request;
}

function scenarioNamed({ path, headers, body }: RecordedRequest): string {
  const header = headers['x-fake-scenario'];
  if (typeof header === 'string') return header;
  const [, inPath] = /\/fake\/([^/]+)\//.exec(path) ?? [];
  const [, inModel] = /^fake\/(.+)/.exec(body.model ?? '') ?? [];
  return inPath ?? inModel ?? defaultScenario;
}

function listModels({ reply }: Exchange): void {
  const names = Object.keys(fakeAiScenarios).map((name) => `fake/${name}`);
  const ids = ['openai/gpt-oss-120b', 'openai/gpt-oss-20b', ...names];
  const data = ids.map((id) => ({ id, object: 'model', owned_by: 'fake', active: true }));
  reply(200, { object: 'list', data });
}

function unknownRequest({ error, request }: Exchange): void {
  const message = `Unknown request: ${request.method} ${request.path}, scenario ${request.scenario}`;
  error(404, { message, type: 'invalid_request_error', code: 'unknown_url' });
}
