import { readFile } from 'node:fs/promises';
import { readUIMessageStream, type UIMessage, type UIMessageChunk } from 'ai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTransport } from './ai-sdk-transport.ts';
import { ask, settled, startWithFakeAi, type AppWithFakeAi } from './asking.ts';
import { until, type TestClient } from './harness.ts';

const question = 'How long do I have to return shoes?';

let app: AppWithFakeAi['app'];
let fake: AppWithFakeAi['fake'];
let customer: TestClient;
let transport: ReturnType<typeof createTransport>;

beforeAll(async () => {
  ({ app, fake } = await startWithFakeAi());
  customer = await app.as('customer');
  transport = createTransport(await app.listen(), () => customer.token);
});

afterEach(() => fake.reset());

afterAll(async () => {
  await app.close();
  await fake.close();
});

/** Sends a message as `useChat` does; every chunk of the reply passes the SDK's own schema. */
const send = (ticketId: string, text = question): Promise<ReadableStream<UIMessageChunk>> =>
  transport.sendMessages({
    trigger: 'submit-message',
    chatId: ticketId,
    messageId: undefined,
    messages: [{ id: 'm', role: 'user', parts: [{ type: 'text', text }] }],
    abortSignal: undefined,
  });

async function reconnect(ticketId: string): Promise<ReadableStream<UIMessageChunk>> {
  const stream = await transport.reconnectToStream({ chatId: ticketId });
  if (!stream) throw new Error('nothing to reconnect to');
  return stream;
}

type Read = { message: UIMessage; errors: unknown[] };

/** The message that the SDK builds of a stream. */
async function read(stream: ReadableStream<UIMessageChunk>): Promise<Read> {
  const errors: unknown[] = [];
  let message: UIMessage | undefined;
  const onError = (error: unknown) => void errors.push(error);
  for await (const next of readUIMessageStream({ stream, onError })) message = next;
  if (!message) throw new Error('the stream made no message');
  return { message, errors };
}

const textOf = ({ parts }: UIMessage): string =>
  parts.map((part) => (part.type === 'text' ? part.text : '')).join('');

/** A ticket whose first answer is over. */
async function openTicket(): Promise<string> {
  const { id } = await ask(customer);
  await settled(customer, id);
  return id;
}

async function newestMessage(ticketId: string) {
  const { messages } = await settled(customer, ticketId);
  return messages.at(-1);
}

describe('the AI SDK', () => {
  it('reads an answer that equals the saved message', async () => {
    const id = await openTicket();
    const { message, errors } = await read(await send(id));
    const saved = await newestMessage(id);
    expect(errors).toEqual([]);
    expect(message.id).toBe(saved.id);
    expect(textOf(message)).toBe(saved.content);
    expect(message.metadata).toMatchObject({ ticketId: id, mode: 'answer', state: 'completed' });
    expect(message.parts.map(({ type }) => type)).toEqual([
      'data-sources',
      'source-document',
      'text',
      'data-citation',
    ]);
  });

  it('comes back in the middle of an answer, and has the whole of it', async () => {
    const id = await openTicket();
    const hold = fake.hold();
    const lost = (await send(id)).getReader();
    await hold.step(6);
    for (;;) {
      const { value } = await lost.read();
      if (value?.type === 'text-delta') break;
    }
    await lost.cancel();

    const [first, stream] = (await reconnect(id)).tee();
    expect((await first.getReader().read()).value).toMatchObject({ type: 'start' });
    const { body } = await customer.get(`/api/v1/tickets/${id}`);
    expect(body.answer.state).toBe('streaming');
    hold.release();
    const { message } = await read(stream);
    const saved = await newestMessage(id);
    expect(textOf(message)).toBe(saved.content);
    expect(message.id).toBe(saved.id);
  });

  it('finds nothing to come back to when the answer is over', async () => {
    const id = await openTicket();
    expect(await transport.reconnectToStream({ chatId: id })).toBeNull();
  });

  it('takes an answer that is stopped', async () => {
    const id = await openTicket();
    const hold = fake.hold();
    const stream = await send(id);
    await hold.step(6);
    const { body } = await customer.get(`/api/v1/tickets/${id}`);
    await until('text', async () => {
      const { body: answer } = await customer.get(`/api/v1/answers/${body.answer.id}`);
      return answer.text !== '';
    });
    await customer.post(`/api/v1/answers/${body.answer.id}/cancel`);
    const { message } = await read(stream);
    hold.release();
    expect(message.metadata).toMatchObject({ state: 'cancelled' });
    expect(textOf(message)).toBe((await newestMessage(id)).content);
  });

  it('takes an answer that is handed over', async () => {
    const id = await openTicket();
    fake.script('handoff');
    const { message } = await read(await send(id));
    expect(message.metadata).toMatchObject({ state: 'handed_off' });
    expect(message.parts).toContainEqual({
      type: 'data-handoff',
      id: 'handoff',
      data: { mode: 'now', reason: 'requested' },
    });

    const { message: next } = await read(await send(id, 'Hello?'));
    expect(next.metadata).toMatchObject({ mode: 'handoff' });
  });

  it('takes an answer that failed', async () => {
    const id = await openTicket();
    fake.script('bad-request', 'bad-request');
    const { errors } = await read(await send(id));
    expect(errors).toHaveLength(1);
    expect(String(errors[0])).toContain('A person of our team will reply here.');
  });
});

it('the how-to shows the transport that these tests use', async () => {
  const [howTo, transport] = await Promise.all([
    readFile(new URL('../../docs/how-to/use-the-ai-sdk.md', import.meta.url), 'utf8'),
    readFile(new URL('ai-sdk-transport.ts', import.meta.url), 'utf8'),
  ]);
  expect(howTo).toContain(`\`\`\`ts\n${transport}\`\`\``);
});
