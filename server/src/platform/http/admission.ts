import type { FastifyInstance, FastifyRequest } from 'fastify';
import { kindOf, type RequestKind } from './request-limits.ts';

export type AdmissionOptions = {
  /** Requests that are worked on at once, streams not counted. */
  inFlightMax: number;
  /** How late timers may come, on the average of the last second. */
  lagMsMax: number;
};

/** How full the server may be before a kind is refused: what can wait goes first. */
const shareMax: Record<RequestKind, number> = {
  search: 0.5,
  read: 0.75,
  write: 0.9,
  account: 1,
  'sign-in': 1,
};

/** Said at most this often: a line for every refusal would cost more than the refusal. */
const warnEveryMs = 10_000;
const sampleMs = 50;
/** Weight of one sample: about a second's worth of them counts. */
const weight = 0.05;

export class OverloadError extends Error {
  readonly headers = { 'retry-after': '1' };

  constructor() {
    super('The server has more to do than it can; try again shortly.');
    this.name = 'OverloadError';
  }
}

/**
 * Refuses at once what would only wait: a queue that grows makes every reply late, and a client that
 * has given up is work for nothing.
 */
export function registerAdmission(app: FastifyInstance, options: AdmissionOptions): void {
  const { inFlightMax, lagMsMax } = options;
  const working = new WeakSet<FastifyRequest>();
  let inFlight = 0;
  let lagMs = 0;
  let sampledAt = performance.now();
  let warnedAt = Number.NEGATIVE_INFINITY;
  // One for all: making a stack costs more than the rest of a refusal.
  const refusal = new OverloadError();

  const timer = setInterval(() => {
    const now = performance.now();
    lagMs += weight * (now - sampledAt - sampleMs - lagMs);
    sampledAt = now;
  }, sampleMs);
  timer.unref();

  function end(request: FastifyRequest): void {
    if (working.delete(request)) inFlight -= 1;
  }

  function warn(): void {
    const now = performance.now();
    if (now - warnedAt < warnEveryMs) return;
    warnedAt = now;
    app.log.warn(
      { inFlight, lagMs: Math.round(lagMs) },
      'more to do than we can: refusing requests',
    );
  }

  app.addHook('onRequest', (request, reply, done) => {
    const kind = kindOf(request);
    const load = Math.max(inFlight / inFlightMax, lagMs / lagMsMax);
    if (kind !== 'unlimited' && load >= shareMax[kind]) {
      warn();
      return done(refusal);
    }
    working.add(request);
    inFlight += 1;
    // The caller may leave before there is a reply.
    reply.raw.once('close', () => end(request));
    done();
  });
  // A stream is no work any more once it has begun.
  app.addHook('onSend', (request, _reply, _payload, done) => {
    end(request);
    done();
  });
  app.addHook('onClose', (_app, done) => {
    clearInterval(timer);
    done();
  });
}
