import { startFakeAi, type FakeAi } from './fake-ai.ts';
import { startTestApp, until, type TestApp, type TestClient } from './harness.ts';
import type { Json } from './reply.ts';

export type AppWithFakeAi = { app: Awaited<ReturnType<typeof startTestApp>>; fake: FakeAi };

/** The environment of an instance whose model is the fake one. */
export const fakeAiEnv = (fake: FakeAi, model = 'fake/answer'): Record<string, string> => ({
  AI_PROVIDER: 'groq',
  AI_BASE_URL: fake.url,
  GROQ_API_KEY: 'fake',
  AI_MODEL: model,
  AI_FALLBACKS: 'none',
});

/** An instance that asks a fake model, with one article about returns. */
export async function startWithFakeAi(env: Record<string, string> = {}): Promise<AppWithFakeAi> {
  const fake = await startFakeAi();
  const app = await startTestApp({ env: { ...fakeAiEnv(fake), ...env } });
  await app.publish();
  // What the model says is what these tests are about, not whether it is asked.
  const admin = await app.as('admin');
  await admin.patch('/api/v1/settings', { answer_threshold: 0 });
  return { app, fake };
}

/** Opens a ticket as the customer; the assistant starts on it at once. */
export async function ask(
  customer: TestClient,
  description = 'How long do I have to return shoes?',
  title = 'Returns',
): Promise<{ id: string; answerId: string }> {
  const { status, body } = await customer.post('/api/v1/tickets', {
    title,
    description,
  });
  if (status !== 201) throw new Error(`opening a ticket: ${status} ${JSON.stringify(body)}`);
  return { id: body.id, answerId: body.answer?.id };
}

/** Waits until the ticket has no live answer, and returns it with its messages. */
export const settled = (
  customer: TestClient,
  ticketId: string,
  timeoutMs?: number,
): Promise<Json> =>
  until(
    'the answer to end',
    async () => {
      const { body } = await customer.get(`/api/v1/tickets/${ticketId}`);
      return body.answer === null && body;
    },
    timeoutMs,
  );

/** The answers of a ticket as rows, in the order of their creation. */
export const answersOf = (app: TestApp, ticketId: string) =>
  app.db
    .selectFrom('answers')
    .selectAll()
    .where('ticket_id', '=', ticketId)
    .orderBy('id')
    .execute();
