import { expect, test } from 'vitest';
import type { Actor } from '../auth/actor.ts';
import { createLiveReaders, framesFor, type LiveReader } from './live.readers.ts';
import { createLiveRing, firstOf, type LiveFrame } from './live.ring.ts';

const frame = (position: number, requesterId: string | null = null, bytes = 10): LiveFrame => ({
  position,
  requesterId,
  isForAgents: true,
  staff: Buffer.from(`s${position} `.padEnd(bytes)),
  customer: requesterId === null ? undefined : Buffer.from(`c${position} `),
});

function readerOf(role: Actor['role'], id: string, takes = true) {
  const pushed: string[] = [];
  const reader: LiveReader = {
    actor: { id, role, name: id, sessionId: '' },
    sink: {
      push: (bytes) => {
        pushed.push(Buffer.from(bytes).toString().trim().replaceAll(/ +/g, ' '));
        return takes;
      },
      wanted: () => Promise.resolve(),
      signal: new AbortController().signal,
    },
    position: 0,
    isBehind: false,
  };
  return { reader, pushed };
}

test('each reader gets what they may see, joined, and nothing that they have', () => {
  const readers = createLiveReaders(() => undefined);
  const agent = readerOf('agent', 'a');
  const ahead = readerOf('agent', 'b');
  const customer = readerOf('customer', 'c');
  const other = readerOf('customer', 'd');
  ahead.reader.position = 2;
  for (const { reader } of [agent, ahead, customer, other]) readers.add(reader);
  readers.deliver([frame(1), frame(2, 'c'), frame(3, 'c')]);
  expect(agent.pushed).toEqual(['s1 s2 s3']);
  expect(ahead.pushed).toEqual(['s3']);
  expect(customer.pushed).toEqual(['c2 c3']);
  expect(other.pushed).toEqual([]);
  for (const { reader } of [agent, ahead, customer, other]) readers.remove(reader);
  expect(readers.size).toBe(0);
});

test('of the staff, agents get what is for agents, and admins all', () => {
  const readers = createLiveReaders(() => undefined);
  const admin = readerOf('admin', 'a');
  const agent = readerOf('agent', 'b');
  for (const { reader } of [admin, agent]) readers.add(reader);
  const frames = [frame(1), { ...frame(2), isForAgents: false }, frame(3)];
  readers.deliver(frames);
  readers.toStaff(Buffer.from('notice'));
  expect(admin.pushed).toEqual(['s1 s2 s3', 'notice']);
  expect(agent.pushed).toEqual(['s1 s3', 'notice']);
  const caughtUp = (of: typeof admin) =>
    Buffer.from(framesFor(of.reader.actor, frames)).toString().replaceAll(/ +/g, ' ').trim();
  expect([caughtUp(admin), caughtUp(agent)]).toEqual(['s1 s2 s3', 's1 s3']);
});

test('who takes no more gets nothing more until they have caught up', () => {
  const behind: LiveReader[] = [];
  const readers = createLiveReaders((reader) => {
    reader.isBehind = true;
    behind.push(reader);
  });
  const stalled = readerOf('agent', 'a', false);
  const other = readerOf('agent', 'b');
  readers.add(stalled.reader);
  readers.add(other.reader);
  for (let position = 1; position <= 100; position += 1) {
    readers.deliver([frame(position)]);
    readers.toStaff(Buffer.from('notice'));
  }
  expect(stalled.pushed).toEqual(['s1']);
  expect(behind).toEqual([stalled.reader]);
  expect(other.pushed).toHaveLength(200);
});

test('the ring keeps the newest, and says when it does not reach back', () => {
  const ring = createLiveRing(3);
  ring.restart(10);
  expect(ring.behind(10)).toEqual([]);
  expect(ring.behind(9)).toBeUndefined();
  ring.add([frame(12), frame(13)]);
  ring.add([frame(15), frame(16)]);
  expect(ring.head).toBe(16);
  expect(ring.behind(11)).toBeUndefined();
  expect(ring.behind(12)?.map(({ position }) => position)).toEqual([13, 15, 16]);
  expect(ring.behind(14)?.map(({ position }) => position)).toEqual([15, 16]);
  expect(ring.behind(16)).toEqual([]);
});

test('what goes out at once is bounded, but one frame at least', () => {
  const large = Array.from({ length: 10 }, (_none, n) => frame(n, null, 10_000));
  expect(firstOf(large)).toHaveLength(3);
  expect(firstOf([frame(1, null, 200_000), frame(2)])).toHaveLength(1);
  expect(firstOf([])).toEqual([]);
});
