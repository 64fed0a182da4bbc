import type { OutboundResult } from '../../platform/outbound/outbound.ts';

/** How an attempt ended, and what follows from it for its delivery and its webhook. */
export type Verdict =
  | { outcome: 'succeeded' }
  /** Another attempt after this time; null when it was the last one. */
  | { outcome: 'failed'; retryAfterMs: number | null; isGone: boolean };

const retryAfterMsMax = 24 * 60 * 60 * 1_000;
const jitter = 0.2;

/**
 * What to do after the attempt at place `tries` (1 is the first) of a schedule of waits before each
 * attempt. `random` from 0 to 1 spreads the waits by a fifth, so that what failed together does not
 * come back together.
 */
export function judge(
  result: OutboundResult,
  {
    tries,
    scheduleMs,
    random,
    now,
  }: {
    tries: number;
    scheduleMs: readonly number[];
    random: number;
    now: Date;
  },
): Verdict {
  if (result.kind === 'response' && result.status >= 200 && result.status < 300) {
    return { outcome: 'succeeded' };
  }
  const isGone = result.kind === 'response' && result.status === 410;
  const wait = scheduleMs[tries];
  if (isGone || wait === undefined) return { outcome: 'failed', retryAfterMs: null, isGone };
  const spread = wait * (1 + jitter * (2 * random - 1));
  return { outcome: 'failed', retryAfterMs: Math.max(spread, askedMs(result, now)), isGone };
}

/** What `Retry-After` asks for, in seconds or as a date, of those whose it is to ask. */
function askedMs(result: OutboundResult, now: Date): number {
  if (result.kind !== 'response' || (result.status !== 429 && result.status !== 503)) return 0;
  const value = result.headers['retry-after']?.trim() ?? '';
  const ms = /^\d{1,9}$/.test(value)
    ? Number(value) * 1_000
    : new Date(value).getTime() - now.getTime();
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), retryAfterMsMax) : 0;
}
