import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Kysely, Transaction } from 'kysely';
import type { ReleaseSlot, Slots } from '../../platform/ai/slots.ts';
import type { Bus } from '../../platform/bus/bus.ts';
import { outsideTransaction, transaction } from '../../platform/database/transaction.ts';
import { inSpan } from '../../platform/telemetry/spans.ts';
import type { Tables } from '../../tables.ts';
import { answersChanged } from '../tickets/answers-changed.ts';
import { answersStarted } from './answers-started.ts';
import type { EndAnswer } from './answers.end.ts';
import type { Flusher, Growing } from './answers.flusher.ts';
import type { ReadConversation } from './answers.conversation.ts';
import type { Outcome } from './answers.outcome.ts';
import type { Pipeline } from './answers.pipeline.ts';
import * as repository from './answers.repository.ts';
import type { AnswerRow } from './answers.repository.ts';
import type { Tails } from './answers.tails.ts';

const sweepMax = 100;
const attemptsMax = 2;
const retryMs = 500;

export type RunnerSettings = { leaseMs: number; sweepMs: number; queueWaitMs: number };

type Logger = {
  error(details: object, message: string): void;
  info(details: object, message: string): void;
};

/** What is measured of an answer that this process writes. */
export type AnswerWatch = {
  /** Its first text was saved, and may be read, so long after the start. */
  firstText(seconds: number): void;
  ended(answer: AnswerRow, seconds: number): void;
};

/** One attempt at one answer, in this process. */
type Run = Omit<Growing, 'text'> & {
  text: string;
  row: AnswerRow;
  readonly startedAt: number;
  readonly abort: AbortController;
  release: ReleaseSlot | undefined;
};

export type AnswersRunner = ReturnType<typeof createAnswersRunner>;

/**
 * The life of answers in this process: starts queued ones, keeps them alive while they are written,
 * ends them, and takes over what other processes left behind.
 */
export function createAnswersRunner(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  slots: Slots;
  readConversation: ReadConversation;
  pipeline: Pipeline;
  flusher: Flusher;
  tails: Tails;
  endAnswer: EndAnswer;
  watch: AnswerWatch;
  logger: Logger;
  settings: RunnerSettings;
}) {
  const { db, bus, slots, readConversation, pipeline, flusher, tails } = dependencies;
  const { endAnswer, watch, logger, settings } = dependencies;
  const live = new Map<string, Run>();
  const starting = new Set<string>();
  const closing = new AbortController();
  let settled = Promise.withResolvers<void>();

  /** Starts a queued answer as soon as there is a slot for it. */
  function kick(answer: { id: string; ticketId: string; userId: string }): void {
    if (starting.has(answer.id) || closing.signal.aborted) return;
    starting.add(answer.id);
    void outsideTransaction(() => start(answer))
      .catch((error: unknown) => {
        if (!closing.signal.aborted) logger.error({ error, answer: answer.id }, 'start failed');
      })
      .finally(() => starting.delete(answer.id));
  }

  async function start(answer: { id: string; ticketId: string; userId: string }): Promise<void> {
    const release = await slots.acquire(answer.userId, {
      signal: closing.signal,
      timeoutMs: settings.queueWaitMs,
    });
    const owner = randomUUID();
    let row: AnswerRow | undefined;
    try {
      row = await transaction(db, async (db) => {
        const ticket = await lockTicket(db, answer.ticketId);
        if (!ticket || ticket.assistant !== 'active') return undefined;
        return repository.claim(db, answer, owner, settings.leaseMs);
      });
    } finally {
      if (!row) release?.();
    }
    // Without a slot in time the first provider is overloaded: the next in the chain takes it.
    if (row) run(row, owner, release, release ? 0 : 1);
  }

  function run(row: AnswerRow, owner: string, release: ReleaseSlot | undefined, startAt: number) {
    live.get(row.id)?.abort.abort();
    const current: Run = {
      id: row.id,
      owner,
      row,
      startedAt: performance.now(),
      text: '',
      abort: new AbortController(),
      release,
      onSaved(text) {
        if (current.row.text === '' && text !== '') watch.firstText(secondsSince(current));
        current.row = { ...current.row, text };
        tails.set(current.row);
      },
      onLost: () => current.abort.abort(),
    };
    live.set(row.id, current);
    tails.local.add(row.id);
    flusher.add(current);
    tails.set(row);
    void bus.publish(answersStarted, [row.id]);
    const ids = { 'answer.id': row.id, 'ticket.id': row.ticket_id };
    void outsideTransaction(() => inSpan('answer', ids, () => perform(current, startAt)))
      .catch((error: unknown) => {
        if (!current.abort.signal.aborted) logger.error({ error, answer: row.id }, 'run failed');
      })
      .finally(() => {
        leave(current);
        current.release?.();
        if (live.size === 0) settled.resolve();
      });
  }

  function leave(current: Run): void {
    flusher.remove(current);
    if (live.get(current.id) !== current) return;
    live.delete(current.id);
    tails.local.delete(current.id);
  }

  async function perform(current: Run, startAt: number): Promise<void> {
    const { signal } = current.abort;
    const outcome = await produce(current, startAt).catch((error: unknown): Outcome | undefined => {
      if (signal.aborted) return undefined;
      logger.error({ error, answer: current.id }, 'answering failed');
      return { state: current.text === '' ? 'failed' : 'incomplete', failure: 'internal' };
    });
    if (outcome && !signal.aborted) await finish(current, outcome);
  }

  async function produce(current: Run, startAt: number): Promise<Outcome> {
    const conversation = await readConversation(current.row);
    const draft = {
      get text() {
        return current.text;
      },
      write(text: string) {
        if (text === '') return;
        current.text += text;
        flusher.grew(current);
      },
      async saveSources(sources: NonNullable<AnswerRow['sources']>) {
        if (!(await repository.saveSources(db, current, sources))) current.abort.abort();
        current.abort.signal.throwIfAborted();
        current.row = { ...current.row, sources };
        tails.set(current.row);
      },
    };
    return pipeline(conversation, draft, { signal: current.abort.signal, startAt });
  }

  /** Ends the run's answer; tries again while the lease is its own, for the database may be away. */
  async function finish(current: Run, outcome: Outcome): Promise<void> {
    const giveUpAt = Date.now() + settings.leaseMs;
    for (;;) {
      try {
        const successor = randomUUID();
        const { text, owner } = current;
        const result = await inSpan('save the answer', {}, () =>
          transaction(db, async (db) =>
            endAnswer(db, current.row, outcome, { text, owner, successor }),
          ),
        );
        leave(current);
        if (!result) return;
        watch.ended(result.ended, secondsSince(current));
        tails.set(result.ended);
        if (result.endedToo) tails.set(result.endedToo);
        void bus.publish(answersChanged, [
          current.id,
          ...(result.endedToo ? [result.endedToo.id] : []),
        ]);
        if (result.started) {
          run(result.started, successor, current.release, 0);
          current.release = undefined;
        }
        return;
      } catch (error) {
        if (Date.now() > giveUpAt || current.abort.signal.aborted) throw error;
        logger.error({ error, answer: current.id }, 'ending an answer failed; trying again');
        await delay(retryMs);
      }
    }
  }

  const lockTicket = (db: Transaction<Tables>, id: string) =>
    db.selectFrom('tickets').selectAll().where('id', '=', id).forUpdate().executeTakeFirst();

  /** Takes over what nobody keeps alive: begins it again, or ends it with what was shown. */
  async function sweep(): Promise<void> {
    for (const { id, ticket_id: ticketId } of await repository.listExpired(db, sweepMax)) {
      const own = live.get(id);
      const result = await transaction(db, async (db) => {
        const ticket = await db
          .selectFrom('tickets')
          .selectAll()
          .where('id', '=', ticketId)
          .forUpdate()
          .skipLocked()
          .executeTakeFirst();
        const row = ticket && (await repository.findExpired(db, id));
        return row && { userId: ticket.requester_id, ...(await takeOver(db, row)) };
      });
      if (!result) continue;
      own?.abort.abort();
      void bus.publish(answersChanged, [id]);
      if (result.ended) tails.set(result.ended);
      else kick({ id, ticketId, userId: result.userId });
    }
  }

  async function takeOver(db: Transaction<Tables>, row: AnswerRow): Promise<{ ended?: AnswerRow }> {
    const attempt = row.state === 'queued' ? row.attempt : row.attempt + 1;
    if (row.text === '' && attempt <= attemptsMax) {
      await repository.requeue(db, row.id, attempt, settings.leaseMs);
      return {};
    }
    const outcome: Outcome = {
      state: row.text === '' ? 'failed' : 'incomplete',
      failure: 'interrupted',
    };
    const result = await endAnswer(db, row, outcome, { text: row.text });
    return { ended: result?.ended };
  }

  let sweeping: Promise<void> | undefined;
  let sweepFails = false;
  const sweepSafely = (): void => {
    sweeping ??= sweep()
      .then(() => void (sweepFails = false))
      .catch((error: unknown) => {
        // Said once: an unmigrated or absent database would fill the log.
        if (!sweepFails) logger.error({ error }, 'the sweep of answers failed');
        sweepFails = true;
      })
      .finally(() => (sweeping = undefined));
  };
  const sweepTimer = setInterval(sweepSafely, settings.sweepMs);
  sweepTimer.unref();

  // Somebody else ended or restarted an answer: a run of ours that is no longer its owner stops.
  const unsubscribe = bus.subscribe(answersChanged, {
    onIds(ids) {
      const ours = ids.filter((id) => live.has(id));
      if (ours.length > 0) void outsideTransaction(() => stopLost(ours));
    },
    onReconnect: () => void outsideTransaction(() => stopLost([...live.keys()])),
  });

  async function stopLost(ids: string[]): Promise<void> {
    try {
      for (const row of await repository.findMany(db, ids)) {
        const current = live.get(row.id);
        if (current && row.lease_owner !== current.owner) current.abort.abort();
      }
    } catch {
      // The database is away: the flusher finds it out.
    }
  }

  return {
    kick,
    liveCount: (): number => live.size,
    /** Takes over what an earlier process left, at once. */
    resume: sweepSafely,
    /**
     * Takes no new answers, gives the live ones `drainMs` to end, and hands the rest back: another
     * process begins those that showed nothing; people get the others.
     */
    async drain(drainMs: number): Promise<void> {
      clearInterval(sweepTimer);
      closing.abort();
      await sweeping;
      if (live.size > 0) {
        settled = Promise.withResolvers<void>();
        await Promise.race([settled.promise, delay(drainMs, undefined, { ref: false })]);
      }
      for (const current of [...live.values()]) {
        current.abort.abort();
        await handBack(current).catch((error: unknown) =>
          logger.error({ error, answer: current.id }, 'handing an answer back failed'),
        );
      }
      unsubscribe();
      await flusher.stop();
      tails.stop();
    },
  };

  async function handBack(current: Run): Promise<void> {
    await transaction(db, async (db) => {
      await lockTicket(db, current.row.ticket_id);
      const requeued = await repository.requeue(db, current.id, current.row.attempt, 0);
      if (requeued) return;
      const row = await repository.find(db, current.id);
      if (row?.lease_owner !== current.owner) return;
      await endAnswer(db, row, { state: 'incomplete', failure: 'shutdown' }, { text: row.text });
    });
    await bus.publish(answersChanged, [current.id]);
  }
}

const secondsSince = ({ startedAt }: Run): number => (performance.now() - startedAt) / 1_000;
