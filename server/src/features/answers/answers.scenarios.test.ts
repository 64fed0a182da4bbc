import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, settled, startWithFakeAi, type AppWithFakeAi } from '../../../test/asking.ts';
import { fakeAiScenarios, fakeOrganizationId } from '../../../test/fake-ai.ts';
import type { TestClient } from '../../../test/harness.ts';
import { parseStream } from '../../../test/read-stream.ts';

/** Short, so that a provider that hangs does so quickly. */
const shortTimeouts = {
  AI_FIRST_BYTE_MS: '250',
  AI_BETWEEN_CHUNKS_MS: '250',
  AI_TOTAL_MS: '2000',
  AI_WAIT_BUDGET_MS: '600',
};

const extractive = 'From *How long do I have to return an item?';

/** How an answer may end, for a scenario's outcome at the adapter and what was shown by then. */
type End = { state: string; status: string; assistant: string; author: string };
const ends: Record<string, End> = {
  completed: {
    state: 'completed',
    status: 'pending',
    assistant: 'active',
    author: 'assistant',
  },
  handed_off: {
    state: 'handed_off',
    status: 'open',
    assistant: 'paused',
    author: 'assistant',
  },
  incomplete: {
    state: 'incomplete',
    status: 'open',
    assistant: 'paused',
    author: 'assistant',
  },
  failed: { state: 'failed', status: 'open', assistant: 'paused', author: 'system' },
};

describe.each(['none', 'extractive'])('with AI_FALLBACKS=%s', (fallbacks) => {
  let app: AppWithFakeAi['app'];
  let fake: AppWithFakeAi['fake'];
  let customer: TestClient;
  beforeAll(async () => {
    ({ app, fake } = await startWithFakeAi({ ...shortTimeouts, AI_FALLBACKS: fallbacks }));
    customer = await app.as('customer');
  });
  afterAll(async () => {
    await app.close();
    await fake.close();
  });

  test.each(Object.entries(fakeAiScenarios))(
    '%s ends as documented',
    async (name, { expected }) => {
      // One after the other the failures would open the breaker, which has tests of its own.
      for (const provider of app.container.providers) app.container.breaker.recordSuccess(provider);
      await app.db.deleteFrom('ai_pauses').execute();
      fake.reset();
      fake.script(...Array.from({ length: 4 }, () => name));
      const { id } = await ask(customer);
      const stream = parseStream((await customer.get(`/api/v1/tickets/${id}/ai-response`)).body);
      const ticket = await settled(customer, id);
      const message = ticket.messages.at(-1);
      const state = message.answer_state as string;

      expect(stream.done).toBe(true);
      expect(ends[state], `${name} ended as ${state}`).toBeDefined();
      expect(ticket).toMatchObject({
        status: ends[state]?.status,
        assistant: ends[state]?.assistant,
      });
      expect(message.author.type).toBe(ends[state]?.author);
      if (state !== 'failed') expect(message.content).toBe(stream.text);
      // The words of a provider, its organisation ids above all, reach nobody.
      expect(JSON.stringify([stream.frames, ticket])).not.toContain(fakeOrganizationId);

      const wasShown = 'text' in expected && Boolean(expected.text);
      if (expected.outcome === 'completed') {
        expect(['completed', 'handed_off', 'incomplete']).toContain(state);
        expect(stream.text.startsWith(extractive)).toBe(false);
      } else if (state === 'incomplete') {
        expect(wasShown).toBe(true);
        expect(stream.types.at(-1)).toBe('error');
      } else if (fallbacks === 'extractive') {
        expect(state).toBe('completed');
        expect(stream.text.startsWith(extractive)).toBe(true);
      } else {
        expect(state).toBe('failed');
        expect(stream.types.at(-1)).toBe('error');
      }
    },
  );
});
