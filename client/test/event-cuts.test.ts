import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFactories } from '../../server/test/factories.ts';
import { startTestApp, type TestApp } from '../../server/test/harness.ts';
import { createRandom } from '../../server/test/random.ts';
import { createClient, type SupportEvent } from '../src/client.ts';
import { startCuttingProxy } from './cutting-proxy.ts';

const cutsMax = 60;
const eventsMin = 1_000;

let app: TestApp;
let baseUrl: string;
beforeAll(async () => {
  app = await startTestApp();
  baseUrl = await app.listen();
});
afterAll(() => app.close());

it(`the live feed, cut ${cutsMax} times, brings each event once and in order`, async () => {
  const random = createRandom(20_261_128);
  let cutsLeft = cutsMax;
  const proxy = await startCuttingProxy({
    upstream: baseUrl,
    nextCutBytes: () => (cutsLeft-- > 0 ? 800 + Math.floor(random() * 12_000) : undefined),
    edit: (bytes) =>
      Buffer.from(bytes.toString('latin1').replace('retry: 2000', 'retry: 0020'), 'latin1'),
  });
  const make = createFactories(app);
  const [customer, agent] = [await app.as('customer'), await app.as('agent')];
  const ticket = await make.ticket(customer);
  const client = createClient({ baseUrl: proxy.url, token: agent.token });
  const leave = new AbortController();
  const stream = client.events.stream({ signal: leave.signal, lastEventId: '0' });

  let isDone = false;
  const writing = (async () => {
    for (let count = 0; count < eventsMin || proxy.cuts() < cutsMax; count += 1) {
      await make.note(ticket, agent);
    }
    isDone = true;
  })();
  const events: SupportEvent[] = [];
  const isAll = async (): Promise<boolean> => {
    const row = app.db.selectFrom('tickets').select('last_event').where('id', '=', ticket);
    return isDone && events.at(-1)?.sequence === (await row.executeTakeFirst())?.last_event;
  };
  for await (const part of stream) {
    if (part.type === 'event' && part.event.ticket_id === ticket) events.push(part.event);
    if (await isAll()) break;
  }
  await writing;
  await proxy.close();
  expect(proxy.cuts()).toBe(cutsMax);
  expect(events.length).toBeGreaterThan(eventsMin);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_event, at) => at + 1));
});

it('what the server refuses ends the stream, and so does leaving it', async () => {
  const stream = createClient({ baseUrl, token: 'nobody' }).events.stream();
  await expect(stream[Symbol.asyncIterator]().next()).rejects.toMatchObject({
    code: 'unauthenticated',
  });
  const agent = await app.as('agent');
  const leave = new AbortController();
  const own = createClient({ baseUrl, token: agent.token }).events.stream({ signal: leave.signal });
  const read = async () => {
    for await (const { type } of own) if (type === 'hello') leave.abort(new Error('enough'));
  };
  await expect(read()).rejects.toThrow('enough');
  expect(own.lastEventId).toMatch(/^\d+$/);
});
