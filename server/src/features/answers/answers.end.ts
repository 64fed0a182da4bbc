import type { Transaction } from 'kysely';
import type { HandoffReason, Tables } from '../../tables.ts';
import { assistantActor, systemActor } from '../events/event-actors.ts';
import { answerObject } from '../events/event-objects.ts';
import type { EventsService } from '../events/events.service.ts';
import type { GapsService } from '../knowledge/gaps.service.ts';
import type { TicketRow, TicketsService } from '../tickets/tickets.service.ts';
import { lines } from './answers.lines.ts';
import type { Outcome } from './answers.outcome.ts';
import { handoffPacket } from './answers.packet.ts';
import * as repository from './answers.repository.ts';
import type { AnswerRow } from './answers.repository.ts';
import { listCited, newestQuestion } from './answers.conversation.repository.ts';

export type Ended = {
  ended: AnswerRow;
  /** The answer that waited behind this one and went to the person with it. */
  endedToo?: AnswerRow;
  /** The answer that waited behind this one, now streaming, owned by `successor`. */
  started?: AnswerRow;
};

export type EndAnswer = ReturnType<typeof createEndAnswer>;

/**
 * Ends an answer in the caller's transaction, with all that its end means: the message, the ticket's
 * status and hand-over, the events, and the answer that waits behind it. Undefined when it has ended
 * already, or belongs to another run.
 */
export function createEndAnswer(dependencies: {
  tickets: TicketsService;
  gaps: GapsService;
  events: EventsService;
  leaseMs: number;
}) {
  const { tickets, gaps, events, leaseMs } = dependencies;

  return async function endAnswer(
    db: Transaction<Tables>,
    answer: Pick<AnswerRow, 'id' | 'ticket_id'>,
    outcome: Outcome,
    run: { text: string; owner?: string; successor?: string },
  ): Promise<Ended | undefined> {
    const ticket = await tickets.lock(db, answer.ticket_id);
    if (!ticket) return undefined;
    const text = [run.text, outcome.line].filter(Boolean).join('\n\n');
    const handoff = outcome.handoff ?? failureHandoff(outcome);
    const ended = await repository.end(
      db,
      { id: answer.id, owner: run.owner },
      {
        state: outcome.state,
        text,
        citations: JSON.stringify(outcome.citations ?? []),
        verdict: outcome.verdict ?? null,
        handoff_mode: handoff?.mode ?? null,
        handoff_reason: handoff?.reason ?? null,
        finish_reason: outcome.finishReason ?? null,
        failure: outcome.failure ?? null,
        provider: outcome.provider ?? null,
        model: outcome.model ?? null,
        input_tokens: outcome.usage?.inputTokens ?? null,
        output_tokens: outcome.usage?.outputTokens ?? null,
        cost: outcome.cost ?? null,
        needs_review: outcome.needsReview ?? false,
        trace: outcome.trace ? JSON.stringify(outcome.trace) : null,
      },
    );
    if (!ended) return undefined;

    const isSaid = outcome.state !== 'failed';
    await tickets.appendMessage(db, isSaid ? assistantActor : systemActor, {
      id: ended.message_id,
      ticketId: ticket.id,
      authorType: isSaid ? 'assistant' : 'system',
      authorId: null,
      content: isSaid ? text : lines.failed,
      citations: outcome.citations,
      answerId: ended.id,
    });
    if (outcome.gap) {
      await gaps.record(db, { answerId: ended.id, ticketId: ticket.id, question: outcome.gap });
    }
    if (handoff?.mode !== 'now') {
      await tickets.moveTo(db, assistantActor, ticket, 'pending');
      await record(db, ended, 'answer.completed');
      return { ended, started: await startNext(db, ticket.id, run.successor) };
    }
    await tickets.handOff(db, assistantActor, ticket, {
      reason: handoff.reason,
      answerId: ended.id,
    });
    await record(db, ended, 'answer.handed_off');
    await tellAgents(db, ticket, outcome, handoff.reason);
    const endedToo = await repository.endQueued(db, ticket.id, {
      state: 'handed_off',
      handoff_mode: 'now',
      handoff_reason: handoff.reason,
    });
    if (endedToo) await record(db, endedToo, 'answer.handed_off');
    return { ended, endedToo };
  };

  async function startNext(
    db: Transaction<Tables>,
    ticketId: string,
    owner: string | undefined,
  ): Promise<AnswerRow | undefined> {
    return owner ? repository.claim(db, { ticketId }, owner, leaseMs) : undefined;
  }

  /** What a person needs to go on from here, as an internal note. */
  async function tellAgents(
    db: Transaction<Tables>,
    ticket: TicketRow,
    outcome: Outcome,
    reason: HandoffReason,
  ): Promise<void> {
    const content = handoffPacket({
      title: ticket.title,
      reason,
      decision: outcome.trace?.decision,
      message: await newestQuestion(db, ticket.id),
      tried: await listCited(db, ticket.id),
    });
    await tickets.appendMessage(db, systemActor, {
      ticketId: ticket.id,
      authorType: 'system',
      authorId: null,
      visibility: 'internal',
      content,
    });
  }

  async function record(
    db: Transaction<Tables>,
    answer: AnswerRow,
    type: 'answer.completed' | 'answer.handed_off',
  ): Promise<void> {
    await events.record(db, {
      type,
      actor: assistantActor,
      subjectId: answer.id,
      ticketId: answer.ticket_id,
      data: answerObject(answer),
    });
  }
}

/** Every end that is not what it should be reaches a person. */
function failureHandoff({ state }: Outcome): Outcome['handoff'] {
  if (state === 'incomplete') return { mode: 'now', reason: 'ai-incomplete' };
  if (state === 'failed') return { mode: 'now', reason: 'ai-failed' };
  return undefined;
}
