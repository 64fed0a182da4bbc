import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Bus } from '../../platform/bus/bus.ts';
import { outsideTransaction, transaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import type { Attempt } from './attempt.ts';
import * as repository from './deliveries.repository.ts';
import type { Claimed } from './deliveries.repository.ts';
import type { AttemptResult, RecordAttempts } from './record-attempts.ts';
import { webhooksDue } from './webhooks-due.ts';

export type DispatcherSettings = {
  /** How long an attempt may take before it counts as dead, its process with it. */
  leaseMs: number;
  /** Attempts at once in this process, to one webhook, and to one that is failing. */
  attemptsMax: number;
  perWebhookMax: number;
  perFailingWebhookMax: number;
};

/** Between looks for what is due: a retry's time comes without a notice. */
const lookMsMax = 5_000;
const lookMsMin = 200;
/** When something is overdue but has no room; the end of an attempt looks sooner. */
const overdueLookMs = 1_000;
const retryMs = 500;

/**
 * Makes the attempts that are due, on every instance that works in the background. Deliveries are
 * taken from their table, each with a lease, and given back with their outcome; attempts only wait
 * for their receivers, so hundreds run at once.
 */
export function createDispatcher(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  attempt: Attempt;
  record: RecordAttempts;
  logger: { error(details: object, message: string): void };
  settings: DispatcherSettings;
}) {
  const { db, bus, attempt, record, logger, settings } = dependencies;
  const running = new Map<string, number>();
  const attempts = new Set<Promise<void>>();
  const breakOff = new AbortController();
  let ended: (AttemptResult & { giveUpAt: number })[] = [];
  let recording = Promise.resolve();
  let records = false;
  let looking = Promise.resolve();
  let looks = false;
  let again = false;
  let stopped = false;
  let fails = false;
  let timer: NodeJS.Timeout | undefined;

  function look(): void {
    if (stopped) return;
    again = true;
    if (!looks) looking = outsideTransaction(takeAll);
  }

  async function takeAll(): Promise<void> {
    looks = true;
    clearTimeout(timer);
    let dueMs: number | undefined;
    try {
      while (again && !stopped) {
        again = false;
        const claimed = await take();
        for (const one of claimed) start(one);
        if (claimed.length > 0) again = true;
        else dueMs = await repository.nextDueMs(db);
      }
      fails = false;
    } catch (error) {
      // Said once: an absent database would fill the log.
      if (!fails) logger.error({ error }, 'due webhook deliveries cannot be taken');
      fails = true;
    }
    timer = setTimeout(look, lookMsOf(dueMs));
    timer.unref();
    // In the turn that found nothing more to do: a notice behind it begins anew.
    looks = false;
  }

  async function take(): Promise<Claimed[]> {
    const total = settings.attemptsMax - attempts.size;
    if (total <= 0) return [];
    const room = {
      total,
      perWebhook: settings.perWebhookMax,
      perFailingWebhook: settings.perFailingWebhookMax,
      running,
    };
    return transaction(db, (db) => repository.claim(db, room, settings.leaseMs));
  }

  function start(claimed: Claimed): void {
    const { webhook_id: webhookId } = claimed;
    running.set(webhookId, (running.get(webhookId) ?? 0) + 1);
    const run = attempt(claimed, breakOff.signal).then((result) => {
      // When the lease has ended, others make the attempt again.
      ended.push({ claimed, result, giveUpAt: Date.now() + settings.leaseMs });
      const left = (running.get(webhookId) ?? 1) - 1;
      if (left > 0) running.set(webhookId, left);
      else running.delete(webhookId);
      if (!records) recording = recordAll();
    });
    attempts.add(run);
    void run.finally(() => attempts.delete(run));
  }

  /** What ends while a record is on its way is in the next one. */
  async function recordAll(): Promise<void> {
    records = true;
    while (ended.length > 0) {
      const batch = ended;
      ended = [];
      try {
        await record(batch);
        look();
      } catch (error) {
        logger.error({ error }, 'the outcome of webhook deliveries cannot be recorded');
        ended = [...batch.filter(({ giveUpAt }) => Date.now() < giveUpAt), ...ended];
        await delay(retryMs);
      }
    }
    records = false;
  }

  const unsubscribe = bus.subscribe(webhooksDue, { onIds: look, onReconnect: look });

  return {
    start: look,
    /** Gives running attempts `drainMs`, then breaks them off; they are due again at once. */
    async stop(drainMs: number): Promise<void> {
      unsubscribe();
      stopped = true;
      await looking;
      clearTimeout(timer);
      const patience = setTimeout(() => breakOff.abort(), drainMs);
      await Promise.allSettled(attempts);
      clearTimeout(patience);
      await recording;
    },
  };
}

const lookMsOf = (dueMs: number = lookMsMax): number =>
  dueMs <= 0 ? overdueLookMs : Math.min(lookMsMax, Math.max(lookMsMin, dueMs));
