import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Bus } from '../../platform/bus/bus.ts';
import { outsideTransaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import * as repository from './answers.repository.ts';
import { answersGrown } from './answers.tails.ts';

/** A run as the flusher sees it. */
export type Growing = {
  readonly id: string;
  /** Identity of the run; a row with another owner has been taken over. */
  readonly owner: string;
  readonly text: string;
  /** The text is committed: it may be shown. */
  onSaved(text: string): void;
  /** The answer is not this run's any more: it must stop. */
  onLost(): void;
};

/** With more live answers than this, flushes keep a distance, so that each carries more. */
const crowdedAt = 100;
const crowdedGapMs = 25;
const retryMs = 250;

/**
 * Save, then show. One statement saves every answer of this process that grew; only after its commit
 * do readers get the text. It runs again at once with what grew meanwhile.
 */
export function createFlusher(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  leaseMs: number;
  logger: { error(details: object, message: string): void };
}) {
  const { db, bus, leaseMs, logger } = dependencies;
  const live = new Set<Growing>();
  let grown = new Set<Growing>();
  let flushing: Promise<void> | undefined;

  async function flush(): Promise<void> {
    while (grown.size > 0) {
      const runs = [...grown].filter((run) => live.has(run));
      grown = new Set();
      if (runs.length === 0) continue;
      const saved = runs.map((run) => ({ id: run.id, owner: run.owner, text: run.text }));
      try {
        const owners = await repository.saveTexts(db, saved, leaseMs);
        runs.forEach((run, at) => {
          if (owners.has(run.owner)) run.onSaved(saved[at]?.text ?? '');
          else if (live.has(run)) run.onLost();
        });
        void bus.publish(
          answersGrown,
          saved.map((run) => run.id),
        );
        if (live.size > crowdedAt) await delay(crowdedGapMs);
      } catch (error) {
        logger.error({ error }, 'saving the live answers failed; trying again');
        for (const run of runs) grown.add(run);
        await delay(retryMs);
      }
    }
  }

  function start(): void {
    flushing ??= outsideTransaction(flush).finally(() => {
      flushing = undefined;
      if (grown.size > 0) start();
    });
  }

  const heartbeat = setInterval(() => {
    for (const run of live) grown.add(run);
    if (grown.size > 0) start();
  }, leaseMs / 3);
  heartbeat.unref();

  return {
    add: (run: Growing): void => void live.add(run),
    remove(run: Growing): void {
      live.delete(run);
      grown.delete(run);
    },
    grew(run: Growing): void {
      grown.add(run);
      start();
    },
    async stop(): Promise<void> {
      clearInterval(heartbeat);
      await flushing;
    },
  };
}

export type Flusher = ReturnType<typeof createFlusher>;
