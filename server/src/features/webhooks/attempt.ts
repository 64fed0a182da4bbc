import type { Outbound, OutboundResult } from '../../platform/outbound/outbound.ts';
import { inSpan } from '../../platform/telemetry/spans.ts';
import type { Sealer } from '../../platform/sealing.ts';
import type { Claimed } from './deliveries.repository.ts';
import { payloadOf } from './payload.ts';
import { signedHeaders } from './signature.ts';

export type Attempt = ReturnType<typeof createAttempt>;

export const userAgent = 'Support-Assistant-Webhooks/1';

/** Sends one delivery once. However it ends is a result. */
export function createAttempt({ outbound, sealer }: { outbound: Outbound; sealer: Sealer }) {
  return async function attempt(claimed: Claimed, signal: AbortSignal): Promise<OutboundResult> {
    const current = sealer.open(claimed.secret);
    if (current === undefined) return unreadable;
    const previous =
      claimed.previous_secret === null ? undefined : sealer.open(claimed.previous_secret);
    const body = payloadOf(claimed.event);
    const { id } = claimed.event;
    const headers = {
      'content-type': 'application/json',
      'user-agent': userAgent,
      ...signedHeaders(previous === undefined ? [current] : [current, previous], {
        id,
        timestamp: claimed.started_at,
        body,
      }),
    };
    const ids = { 'webhook.id': claimed.webhook_id, 'delivery.id': claimed.id, 'event.id': id };
    return inSpan('attempt a delivery', ids, async (span) => {
      const result = await outbound.post(claimed.url, { headers, body, signal });
      const outcome = result.kind === 'failure' ? result.reason : result.status;
      span.setAttribute('outcome', outcome);
      return result;
    });
  };
}

const unreadable: OutboundResult = {
  kind: 'failure',
  reason: 'refused',
  message: 'The secret was sealed with a SECRET_KEY that is gone: rotate it.',
  durationMs: 0,
};
