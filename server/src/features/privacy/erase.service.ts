import type { Kysely, Transaction } from 'kysely';
import type { Bus } from '../../platform/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { Tables } from '../../tables.ts';
import { systemActor } from '../events/event-actors.ts';
import { answerObject, ticketObject, userObject } from '../events/event-objects.ts';
import { eventsErased } from '../events/events-erased.ts';
import type { EventsService } from '../events/events.service.ts';
import { answersChanged } from '../tickets/answers-changed.ts';
import type { TicketRow, TicketsService } from '../tickets/tickets.service.ts';
import * as repository from './erase.repository.ts';
import type { Range } from './erase.repository.ts';
import type { EraseJob } from './privacy.queues.ts';

/** Small enough for the time that a statement has, and for the locks that it holds. */
const batch = 500;
/** An event may have gone to a hundred webhooks, ten times each. */
const eventsOfReplies = 20;
const firstId = '00000000-0000-0000-0000-000000000000';
const tablesOfAccount = [
  'sessions',
  'idempotency_keys',
  'account_tokens',
  'mails',
  'presence',
] as const;

type Stop = { signal: AbortSignal };

export type EraseService = ReturnType<typeof createEraseService>;

/**
 * Takes away what people wrote, in short transactions. Each of them may run again: a process that
 * dies leaves the rest to the next one.
 */
export function createEraseService(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  events: EventsService;
  tickets: TicketsService;
  clock: Clock;
  /** Leaves a job that goes through everything once more. */
  lookAgain: (db: Transaction<Tables>, userId: string) => Promise<void>;
}) {
  const { db, bus, events, tickets, clock, lookAgain } = dependencies;

  return {
    /** All that is left of a person whose account has ended. */
    async erasePerson({ userId, again = false }: EraseJob, { signal }: Stop): Promise<void> {
      for (let after: string | undefined; ;) {
        const ids = await repository.listTickets(db, userId, { all: again, after, limit: batch });
        for (const id of ids) await eraseTicket(id, { signal });
        after = ids.at(-1);
        if (after === undefined) break;
      }
      for (const table of tablesOfAccount) {
        while (await repository.removeOfPerson(db, table, userId, batch)) signal.throwIfAborted();
      }
      await inBatches(signal, (db, after) =>
        repository.eraseAccountEvents(db, userId, after, batch),
      );
      await transaction(db, (db) => finish(db, userId));
      await bus.publish(eventsErased, [userId]);
    },

    eraseTicket,
  };

  /** The ticket stays, with what it counts for: its times, its status, who had it. */
  async function eraseTicket(id: string, { signal }: Stop): Promise<void> {
    const shut = await transaction(db, (db) => shutTicket(db, id));
    if (!shut) return;
    const { ticket, ended } = shut;
    await bus.publish(answersChanged, ended);
    for (const range of rangesOf(ticket.last_seq, batch)) {
      signal.throwIfAborted();
      await repository.eraseMessages(db, id, range);
    }
    await inBatches(signal, (db, after) => repository.eraseAnswers(db, id, after, batch));
    for (const range of rangesOf(ticket.last_event, batch)) {
      signal.throwIfAborted();
      await transaction(db, async (db) => {
        await repository.allowChangeOfEvents(db);
        await repository.eraseEvents(db, id, range);
      });
    }
    for (const range of rangesOf(ticket.last_event, eventsOfReplies)) {
      signal.throwIfAborted();
      await repository.eraseReplies(db, id, range);
    }
    await repository.recordTicketErased(db, id);
  }

  async function shutTicket(
    db: Transaction<Tables>,
    id: string,
  ): Promise<{ ticket: TicketRow; ended: string[] } | undefined> {
    const before = await tickets.lock(db, id);
    if (!before) return undefined;
    const ended = await repository.endAnswers(db, id);
    const about = { actor: systemActor, ticketId: id };
    for (const answer of ended) {
      const data = answerObject(answer);
      await events.record(db, { ...about, type: 'answer.cancelled', subjectId: answer.id, data });
    }
    const ticket = await repository.shutTicket(db, id);
    if (before.status !== 'closed') {
      const previous = { status: before.status };
      const change = { subjectId: id, data: ticketObject(ticket), previous };
      await events.record(db, { ...about, type: 'ticket.status_changed', ...change });
    }
    return { ticket, ended: ended.map((answer) => answer.id) };
  }

  /** Calls `erase` with where it stopped, in transactions that may change events, up to the end. */
  async function inBatches(
    signal: AbortSignal,
    erase: (db: Transaction<Tables>, after: string) => Promise<string | undefined>,
  ): Promise<void> {
    for (let after: string | undefined = firstId; after !== undefined;) {
      signal.throwIfAborted();
      const from: string = after;
      after = await transaction(db, async (db) => {
        await repository.allowChangeOfEvents(db);
        return erase(db, from);
      });
    }
  }

  async function finish(db: Transaction<Tables>, userId: string): Promise<void> {
    const user = await repository.recordPersonErased(db, userId, clock.now());
    if (!user) return;
    await events.record(db, {
      type: 'user.erased',
      actor: systemActor,
      subjectId: userId,
      data: userObject(user),
    });
    await lookAgain(db, userId);
  }
}

const rangesOf = (last: number, size: number): Range[] =>
  Array.from({ length: Math.ceil(last / size) }, (_none, n) => ({
    after: n * size,
    upTo: (n + 1) * size,
  }));
