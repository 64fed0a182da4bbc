import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  ApiError,
  collectAnswer,
  createClient,
  type AnswerPart,
  type AnswerStream,
  type Client,
  type CollectedAnswer,
  type Ticket,
} from '../../../client/src/client.ts';
import { loadConfig } from '../config.ts';
import { CommandError } from './failure.ts';
import { printable, type Terminal } from './terminal.ts';

export type AskOptions = { url?: string; email?: string; password?: string };

const titleLengthMax = 80;
const probeMs = 5_000;
/** Line ends, control characters, and what changes the direction of writing. */
const notInATitle = /[\s\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** Opens a ticket with the question and shows the answer as it is written, over HTTP. */
export async function ask(
  question: string,
  options: AskOptions,
  terminal: Terminal,
): Promise<void> {
  if (question.trim() === '') throw new CommandError('no-question', 'The question is empty.');
  const { dataDir, port } = loadConfig();
  const baseUrl = options.url ?? `http://localhost:${port}`;
  await requireServer(baseUrl);
  const login = await loginOf(options, dataDir, terminal);
  const client = await signIn(baseUrl, login, options.email === undefined);
  const ticket = await client.tickets.create({ title: titleOf(question), description: question });
  const answer = await readAnswer(client, ticket, terminal);
  showEnd(answer, ticket, terminal);
  terminal.result({
    ticket: { id: ticket.id, number: ticket.number },
    answer: answer?.answerId ? await client.answers.get(answer.answerId) : null,
  });
  if (answer?.state === 'failed' || answer?.state === 'incomplete') process.exitCode = 1;
}

/** Finds out at once, and not after a client's patience. */
async function requireServer(baseUrl: string): Promise<void> {
  const probe = `${baseUrl.replace(/\/+$/, '')}/api/v1/health-check`;
  const reply = await fetch(probe, { signal: AbortSignal.timeout(probeMs) }).catch(() => undefined);
  if (!reply) {
    throw new CommandError(
      'no-server',
      `No server answers at ${baseUrl}.`,
      'Start it first: npm start',
    );
  }
  const body = (await reply.json().catch(() => undefined)) as { status?: string } | undefined;
  if (reply.ok && body?.status === 'ok') return;
  throw new CommandError(
    'no-server',
    `What answers at ${baseUrl} is not Support Assistant.`,
    'Say where it is with --url, or with PORT.',
  );
}

type Login = { email: string; password: string };

async function loginOf(
  { email, password }: AskOptions,
  dataDir: string,
  terminal: Terminal,
): Promise<Login> {
  if (email === undefined) return demoLogin(dataDir);
  if (password !== undefined) return { email, password };
  if (terminal.isInteractive) {
    return { email, password: await terminal.askSecret(`Password for ${email}: `) };
  }
  throw new CommandError('no-password', 'There is no password.', 'Give it with --password.');
}

async function demoLogin(dataDir: string): Promise<Login> {
  const path = join(dataDir, 'demo-logins.json');
  const text = await readFile(path, 'utf8').catch(() => '[]');
  const logins = JSON.parse(text) as (Login & { role: string })[];
  const customer = logins.find(({ role }) => role === 'customer');
  if (customer) return { email: customer.email, password: customer.password };
  throw new CommandError(
    'no-login',
    `There is no demo login in ${path}.`,
    'Start the server with its demo shop (npm start), or sign in with --email and --password.',
  );
}

async function signIn(baseUrl: string, login: Login, isDemo: boolean): Promise<Client> {
  try {
    const { access_token: token } = await createClient({ baseUrl }).auth.login(login);
    return createClient({ baseUrl, token });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'invalid-credentials') throw error;
    const elsewhere = `The server at ${baseUrl} has another data folder: name it with DATA_DIR.`;
    throw new CommandError(
      error.code,
      `${login.email} cannot sign in: ${error.message}`,
      isDemo ? `${elsewhere} Or sign in with --email and --password.` : undefined,
    );
  }
}

/** The question in one line, as a ticket's title may be: 3 to 200 characters. */
export function titleOf(question: string): string {
  const characters = [...question.replaceAll(notInATitle, ' ').trim()];
  const isLong = characters.length > titleLengthMax;
  const title = isLong
    ? `${characters.slice(0, titleLengthMax - 1).join('')}…`
    : characters.join('');
  return characters.length < 3 ? `Question: ${title}` : title;
}

/** Undefined when the assistant does not answer at all. */
async function readAnswer(
  client: Client,
  ticket: Ticket,
  terminal: Terminal,
): Promise<CollectedAnswer | undefined> {
  try {
    return await collectAnswer(shown(client.answers.stream(ticket.id), terminal));
  } catch (error) {
    const isOff = error instanceof ApiError && /^assistant-/.test(error.code);
    if (isOff) return undefined;
    throw error;
  }
}

async function* shown(stream: AnswerStream, terminal: Terminal): AsyncGenerator<AnswerPart> {
  let hasText = false;
  for await (const part of stream) {
    // The text begins anew: what stands there already cannot be taken back.
    if (part.type === 'text-start' && hasText) terminal.line('\n');
    if (part.type === 'text-delta') {
      terminal.write(printable(part.delta));
      hasText = true;
    }
    yield part;
  }
  if (hasText) terminal.line();
}

function showEnd(answer: CollectedAnswer | undefined, ticket: Ticket, terminal: Terminal): void {
  if (!answer || answer.state === null) {
    terminal.line('The assistant does not answer here just now; a person will reply.');
  }
  const cited = answer?.sources.filter(({ n }) =>
    answer.citations.some((citation) => citation.n === n),
  );
  if (cited && cited.length > 0) {
    terminal.line(`\n${terminal.style('bold', 'Sources')}`);
    for (const { n, title, heading } of cited) {
      terminal.line(`  [${n}] ${printable(heading ? `${title} › ${heading}` : title)}`);
    }
  }
  if (answer?.errorText)
    terminal.line(`\n${terminal.style('yellow', printable(answer.errorText))}`);
  if (answer?.handoff) {
    const { mode, reason } = answer.handoff;
    const what = mode === 'now' ? 'Handed over to a person' : 'Offered a person';
    terminal.line(`\n${terminal.style('yellow', what)}${reason ? ` (${reason})` : ''}`);
  }
  terminal.line(`\n${terminal.style('dim', `Ticket #${ticket.number}`)}`);
}
