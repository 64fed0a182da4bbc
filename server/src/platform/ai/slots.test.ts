import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { createSlots, type ReleaseSlot } from './slots.ts';

const forever = { signal: new AbortController().signal, timeoutMs: 60_000 };

/** Acquires and notes in `order` when the turn came. */
function acquireInto(order: string[], slots: ReturnType<typeof createSlots>, key: string) {
  return slots.acquire(key, forever).then((release) => {
    order.push(key);
    return release as ReleaseSlot;
  });
}

describe('slots', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('let max run at once, and the next one when a slot is given back', async () => {
    const slots = createSlots({ max: 2 });
    const first = await slots.acquire('ann', forever);
    await slots.acquire('ann', forever);
    const order: string[] = [];
    const third = acquireInto(order, slots, 'ann');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(order).toEqual([]);
    first?.();
    await third;
    expect(order).toEqual(['ann']);
  });

  test('let the keys that wait take turns, however many one of them waits for', async () => {
    const slots = createSlots({ max: 1 });
    const first = await slots.acquire('ann', forever);
    const order: string[] = [];
    const turns = ['ann', 'ann', 'ann', 'bob', 'bob', 'eve'].map((key) =>
      acquireInto(order, slots, key).then((release) => release()),
    );
    first?.();
    await Promise.all(turns);
    expect(order).toEqual(['ann', 'bob', 'eve', 'ann', 'bob', 'ann']);
  });

  test('are not multiplied by a release that is called twice', async () => {
    const slots = createSlots({ max: 1 });
    const release = await slots.acquire('ann', forever);
    release?.();
    release?.();
    await slots.acquire('ann', forever);
    expect(await slots.acquire('bob', { ...forever, timeoutMs: 0 })).toBeUndefined();
  });

  test('are not had after the time is over, and not lost to those who left', async () => {
    const slots = createSlots({ max: 1 });
    const release = await slots.acquire('ann', forever);
    const late = slots.acquire('bob', { ...forever, timeoutMs: 15_000 });
    await vi.advanceTimersByTimeAsync(15_000);
    expect(await late).toBeUndefined();
    release?.();
    expect(await slots.acquire('eve', { ...forever, timeoutMs: 0 })).toBeTypeOf('function');
  });

  test("reject with the signal's reason, and serve the others", async () => {
    const slots = createSlots({ max: 1 });
    const release = await slots.acquire('ann', forever);
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const left = slots.acquire('bob', { signal: controller.signal, timeoutMs: 15_000 });
    const stayed = slots.acquire('bob', forever);
    controller.abort(reason);
    await expect(left).rejects.toBe(reason);
    await expect(slots.acquire('eve', { ...forever, signal: controller.signal })).rejects.toBe(
      reason,
    );
    release?.();
    expect(await stayed).toBeTypeOf('function');
  });

  test('refuse at once who would be one waiter too many', async () => {
    const slots = createSlots({ max: 1, waitingMax: 1 });
    await slots.acquire('ann', forever);
    void slots.acquire('bob', forever);
    expect(await slots.acquire('eve', forever)).toBeUndefined();
  });

  test('leave no timer behind', async () => {
    const slots = createSlots({ max: 1 });
    const release = await slots.acquire('ann', forever);
    const next = slots.acquire('bob', forever);
    release?.();
    await next;
    expect(vi.getTimerCount()).toBe(0);
  });
});
