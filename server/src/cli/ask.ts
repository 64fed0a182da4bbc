import {
  ApiError,
  collectAnswer,
  type AnswerPart,
  type AnswerStream,
  type Client,
  type CollectedAnswer,
  type Ticket,
} from '../../../client/src/client.ts';
import { CommandError } from './failure.ts';
import { signIn, type SignInOptions } from './sign-in.ts';
import { printable, type Terminal } from './terminal.ts';

const titleLengthMax = 80;
/** Line ends, control characters, and what changes the direction of writing. */
const notInATitle = /[\s\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gu;

/** Opens a ticket with the question and shows the answer as it is written, over HTTP. */
export async function ask(
  question: string,
  options: SignInOptions,
  terminal: Terminal,
): Promise<void> {
  if (question.trim() === '') throw new CommandError('no-question', 'The question is empty.');
  const client = await signIn('customer', options, terminal);
  const ticket = await client.tickets.create({ title: titleOf(question), description: question });
  const answer = await readAnswer(client, ticket, terminal);
  showEnd(answer, ticket, terminal);
  terminal.result({
    ticket: { id: ticket.id, number: ticket.number },
    answer: answer?.answerId ? await client.answers.get(answer.answerId) : null,
  });
  if (answer?.state === 'failed' || answer?.state === 'incomplete') process.exitCode = 1;
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
