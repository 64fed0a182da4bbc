import type { Kysely, Transaction } from 'kysely';
import { AppError, notFound } from '../../errors.ts';
import type { Bus } from '../../platform/bus/bus.ts';
import { once, type Idempotency } from '../../platform/database/idempotency.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { AnswerState, Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import { personOf } from '../events/event-actors.ts';
import { answerObject } from '../events/event-objects.ts';
import type { EventsService } from '../events/events.service.ts';
import { answersChanged } from '../tickets/answers-changed.ts';
import type { TicketRow, TicketsService } from '../tickets/tickets.service.ts';
import * as repository from './answers.repository.ts';
import type { AnswerRow, Enqueued } from './answers.repository.ts';
import type { AnswersRunner } from './answers.run.ts';
import { hasPersonReplied, lastCustomerSeq } from './answers.conversation.repository.ts';
import type { StreamPosition } from './answers.stream.ts';

export type AnswersSettings = { enabled: boolean; leaseMs: number };

/** What a transaction that gave a message an answer must do after its commit. */
export type Started = Enqueued & { ticketId: string; userId: string };

export type Feedback = { helpful: boolean; reason?: string | null; comment?: string | null };

export type AnswersService = ReturnType<typeof createAnswersService>;

export function createAnswersService(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  events: EventsService;
  tickets: TicketsService;
  runner: AnswersRunner;
  settings: AnswersSettings;
}) {
  const { db, bus, events, tickets, runner, settings } = dependencies;

  return {
    /**
     * Gives the requester's newest message an answer, under the ticket's lock, when the assistant is
     * there for it. Call `announce` with the result after the commit.
     */
    async enqueue(
      db: Transaction<Tables>,
      ticket: TicketRow,
      seq: number,
    ): Promise<Started | undefined> {
      if (!settings.enabled || ticket.assistant !== 'active') return undefined;
      const enqueued = await repository.enqueue(db, ticket.id, seq, settings.leaseMs);
      return { ...enqueued, ticketId: ticket.id, userId: ticket.requester_id };
    },
    announce,

    async get(actor: Actor, id: string): Promise<AnswerRow> {
      const answer = await repository.find(db, id);
      if (!answer) throw notFound();
      await requireTicket(actor, answer.ticket_id);
      return answer;
    },

    /** The answer to the newest message of the requester; starts it when there is none. */
    async getLatest(
      actor: Actor,
      ticketId: string,
      options: { position: StreamPosition | undefined; liveOnly: boolean },
    ): Promise<AnswerRow | undefined> {
      const ticket = await requireTicket(actor, ticketId);
      // The reader has the whole answer: this is what stops an EventSource.
      if (options.position?.offset === 'end') return undefined;
      const latest = await repository.findLatest(db, ticketId);
      if (latest && isLive(latest.state)) return latest;
      if (options.liveOnly) return undefined;
      const seq = await lastCustomerSeq(db, ticketId);
      if (seq === 0) return undefined;
      if (latest && latest.up_to_seq >= seq) return latest;
      requireAssistant(ticket);
      if (await hasPersonReplied(db, ticketId, seq)) return undefined;
      const started = await transaction(db, async (db) => {
        const locked = await tickets.lockVisible(db, actor, ticketId);
        // Somebody else may have started, and even ended it, since the look above.
        const current = await repository.findLatest(db, ticketId);
        if (current && current.up_to_seq >= seq) return { id: current.id, how: 'joined' as const };
        requireAssistant(locked);
        return repository.enqueue(db, ticketId, seq, settings.leaseMs);
      });
      await announce({ ...started, ticketId, userId: ticket.requester_id });
      return repository.find(db, started.id);
    },

    /** Answers the newest message again, after an answer that failed or was cut short. */
    async retry(
      actor: Actor,
      ticketId: string,
      idempotency: Idempotency | undefined,
    ): Promise<{ answer: AnswerRow; replayed: boolean }> {
      let started: Started | undefined;
      const { body, replayed } = await transaction(db, async (db) => {
        started = undefined;
        return once(db, actor.id, idempotency, async () => {
          started = await restart(db, actor, ticketId);
          return { answerId: started.id };
        });
      });
      await announce(started);
      const answer = await repository.find(db, body.answerId);
      if (!answer) throw notFound();
      await requireTicket(actor, answer.ticket_id);
      return { answer, replayed };
    },

    /** Stops a live answer; what was shown stays. */
    async cancel(actor: Actor, id: string): Promise<AnswerRow> {
      const { answer, next } = await transaction(db, async (db) => {
        const { ticket, answer } = await lockAnswer(db, actor, id);
        const ended = await repository.end(db, { id }, { state: 'cancelled' });
        if (!ended) {
          throw new AppError(
            'invalid-state',
            `The answer is ${answer.state}; only a live one can be stopped.`,
          );
        }
        await tickets.tellEnds(db, personOf(actor), 'answer.cancelled', [ended]);
        const latest = await repository.findLatest(db, ticket.id);
        return {
          answer: ended,
          next: latest?.state === 'queued' ? { ...latest, ticket } : undefined,
        };
      });
      await bus.publish(answersChanged, [id]);
      if (next)
        runner.kick({ id: next.id, ticketId: next.ticket_id, userId: next.ticket.requester_id });
      return answer;
    },

    saveFeedback(actor: Actor, id: string, feedback: Feedback): Promise<AnswerRow> {
      return transaction(db, async (db) => {
        const { answer } = await lockAnswer(db, actor, id);
        if (isLive(answer.state)) {
          throw new AppError('invalid-state', 'The answer is still being written.');
        }
        const isKnown =
          answer.feedback_helpful === feedback.helpful &&
          answer.feedback_reason === (feedback.reason ?? null) &&
          answer.feedback_comment === (feedback.comment ?? null);
        if (isKnown) return answer;
        const rated = await repository.saveFeedback(db, id, {
          helpful: feedback.helpful,
          reason: feedback.reason ?? null,
          comment: feedback.comment ?? null,
        });
        await events.record(db, {
          type: 'answer.rated',
          actor: personOf(actor),
          subjectId: id,
          ticketId: rated.ticket_id,
          data: answerObject(rated),
          previous: { helpful: answer.feedback_helpful },
        });
        return rated;
      });
    },
  };

  async function restart(
    db: Transaction<Tables>,
    actor: Actor,
    ticketId: string,
  ): Promise<Started> {
    const ticket = await tickets.lockVisible(db, actor, ticketId);
    const latest = await repository.findLatest(db, ticketId);
    if (latest && isLive(latest.state)) {
      throw new AppError('answer-live', 'An answer is being written already.');
    }
    const seq = await lastCustomerSeq(db, ticketId);
    if (latest?.state === 'completed' && latest.up_to_seq >= seq) {
      throw new AppError('answer-completed', 'The newest message has its answer.');
    }
    // The assistant was paused by its own failure and nobody has come yet: it may try again.
    const isItsOwnPause =
      ticket.handoff_reason === 'ai-failed' || ticket.handoff_reason === 'ai-incomplete';
    requireAssistant(isItsOwnPause ? { ...ticket, assistant: 'active' } : ticket);
    if (isItsOwnPause) await tickets.reactivate(db, actor, ticket);
    const enqueued = await repository.enqueue(db, ticketId, seq, settings.leaseMs);
    return { ...enqueued, ticketId, userId: ticket.requester_id };
  }

  async function announce(started: Started | undefined): Promise<void> {
    if (!started) return;
    if (started.how === 'restarted') await bus.publish(answersChanged, [started.id]);
    if (started.how !== 'joined') runner.kick(started);
  }

  async function requireTicket(actor: Actor, ticketId: string) {
    const ticket = await tickets.findVisible(actor, ticketId);
    if (!ticket) throw notFound();
    return ticket;
  }

  /** Ticket first, then the answer: the order of locks everywhere. */
  async function lockAnswer(db: Transaction<Tables>, actor: Actor, id: string) {
    const found = await repository.find(db, id);
    if (!found) throw notFound();
    const ticket = await tickets.lockVisible(db, actor, found.ticket_id);
    const answer = await repository.find(db, id);
    if (!answer) throw notFound();
    return { ticket, answer };
  }

  function requireAssistant(ticket: Pick<TicketRow, 'status' | 'assistant'>): void {
    if (ticket.status === 'closed') throw new AppError('ticket-closed', 'The ticket is closed.');
    if (!settings.enabled || ticket.assistant === 'off') {
      throw new AppError('assistant-off', 'The assistant is off; a person will reply.');
    }
    if (ticket.assistant === 'paused') {
      throw new AppError('assistant-paused', 'A person has this ticket and will reply.');
    }
  }
}

const isLive = (state: AnswerState): boolean => state === 'queued' || state === 'streaming';
