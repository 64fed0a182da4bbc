import { parseStream, readUntil } from '../server/test/read-stream.ts';
import type { Person } from '../bench/support/people.ts';
import { pick, type Faults, type Figure, type Scenario } from './scenario.ts';
import { call, startDesk, type Desk } from './support/desk.ts';

export const streamCuts: Scenario = {
  name: 'stream-cuts',
  about: 'streams of answers are cut at random points and resumed, also on the other instance',
  run,
};

const readersAtOnce = 10;
const cutBytesMax = 8_000;

type Tally = { cuts: number; moved: number; answers: number; broken: string[] };

async function run(faults: Faults): Promise<Figure[]> {
  const { short, random } = faults;
  const desk = await startDesk(faults, {
    ai: 'pace?tokens=300&delay=10',
    customers: readersAtOnce,
    env: { AI_CONCURRENCY_MAX: '100' },
  });
  const cutsWanted = short ? 60 : 1_000;
  const tally: Tally = { cuts: 0, moved: 0, answers: 0, broken: [] };
  await Promise.all(
    desk.customers.map(async (customer) => {
      while (tally.cuts < cutsWanted) await readAnswer(desk, customer, random, tally);
    }),
  );
  const { cuts, moved, answers, broken } = tally;
  return [
    {
      what: 'answers whose text is another one, or has gaps or repetitions',
      measured:
        `${broken.length} of ${answers}, cut ${cuts} times, ${moved} times resumed elsewhere` +
        (broken.length > 0 ? `, such as ${broken[0]}` : ''),
      promise: '0',
      holds: broken.length === 0,
    },
  ];
}

type Ticket = { id: string; answer: { id: string } };

/** Reads one answer in pieces, while it is written and after. */
async function readAnswer(
  { urls, db }: Desk,
  customer: Person,
  random: () => number,
  tally: Tally,
): Promise<void> {
  const question = { title: 'Returns', description: 'How long do I have to return an item?' };
  const ticket = await call<Ticket>(pick(random, urls), customer, 'POST', '/tickets', question);
  const { token } = customer;
  const answerId = ticket.answer.id;
  let [text, lastEventId, url, isDone] = ['', '', '', false];
  while (!isDone) {
    const before = url;
    url = pick(random, urls);
    if (before !== '' && url !== before) tally.moved += 1;
    const bytes = cutBytesMax * random();
    const { body } = await readUntil(`${url}/api/v1/answers/${answerId}/events`, {
      token,
      lastEventId,
      stop: (body) => body.length >= bytes,
    });
    const read = parseStream(body, text);
    for (const problem of problemsOf(read, text)) tally.broken.push(`${answerId}: ${problem}`);
    ({ text } = read);
    lastEventId = read.lastId ?? lastEventId;
    isDone = read.done;
    if (!isDone) tally.cuts += 1;
  }
  const stored = await db
    .selectFrom('messages')
    .select('content')
    .where('answer_id', '=', answerId)
    .executeTakeFirst();
  if (stored?.content !== text) tally.broken.push(`${answerId}: not the text of its message`);
  tally.answers += 1;
}

/** The id of each piece says where it ends: a gap or a repetition shows against its length. */
function problemsOf({ frames }: ReturnType<typeof parseStream>, before: string): string[] {
  let length = before.length;
  return frames.flatMap(({ id = '', part }) => {
    if (part['type'] === 'text-start') length = 0;
    if (part['type'] !== 'text-delta') return [];
    length += (part['delta'] as string).length;
    return id.endsWith(`.${length}`) ? [] : [`${id} where ${length} was due`];
  });
}
