import type { Kysely, Transaction } from 'kysely';
import { AppError, invalidField } from '../../errors.ts';
import type { Bus } from '../../platform/bus/bus.ts';
import { once, type Effect, type Idempotency } from '../../platform/database/idempotency.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { MessageVisibility, Tables, TicketStatus } from '../../tables.ts';
import { isStaff, type Actor } from '../auth/actor.ts';
import type { AnswersService, Started } from '../answers/answers.service.ts';
import { answersChanged } from '../tickets/answers-changed.ts';
import type { CreateTicket, TicketsService } from '../tickets/tickets.service.ts';

export type NewMessageInput = {
  content: string;
  visibility?: MessageVisibility;
  status?: TicketStatus;
};

/** Ids are all that a replay needs: what they stand for is read again. */
export type Opened = { ticketId: string; answerId: string | null };
export type Said = { ticketId: string; messageId: string; seq: number; answerId: string | null };

/** What must happen after the commit, and only when it was this request that had the effect. */
type AfterCommit = { started?: Started | undefined; ended?: string[] };

export type MessagesService = ReturnType<typeof createMessagesService>;

/** Where conversation and assistant meet: opening a ticket, asking, replying. */
export function createMessagesService(dependencies: {
  db: Kysely<Tables>;
  bus: Bus;
  tickets: TicketsService;
  answers: AnswersService;
}) {
  const { db, bus, tickets, answers } = dependencies;

  return {
    /** Opens a ticket; its description is message 1, and the assistant answers the requester's own. */
    open(
      actor: Actor,
      input: CreateTicket,
      idempotency: Idempotency | undefined,
    ): Promise<Effect<Opened>> {
      return effect(actor, idempotency, async (db) => {
        const ticket = await tickets.create(db, actor, input);
        const started =
          ticket.requester_id === actor.id ? await answers.enqueue(db, ticket, 1) : undefined;
        return [{ ticketId: ticket.id, answerId: started?.id ?? null }, { started }];
      });
    },

    /** Adds a message: the requester asks, or a person of the team replies or notes. */
    say(
      actor: Actor,
      ticketId: string,
      input: NewMessageInput,
      idempotency: Idempotency | undefined,
    ): Promise<Effect<Said>> {
      return effect(actor, idempotency, async (db) => {
        const ticket = await tickets.lockVisible(db, actor, ticketId);
        if (!isStaff(actor)) refuseStaffFields(input);
        if (ticket.status === 'closed') {
          throw new AppError('ticket-closed', 'The ticket is closed; open a new one.');
        }
        const isAsking = ticket.requester_id === actor.id && input.visibility !== 'internal';
        // A member of the team may be a requester too; with a status they speak as staff.
        if (isAsking && input.status === undefined) {
          const message = await tickets.appendFromRequester(db, actor, ticket, input.content);
          const started = await answers.enqueue(db, ticket, message.seq);
          return [said(ticketId, message, started?.id), { started }];
        }
        const { message, ended } = await tickets.appendFromStaff(db, actor, ticket, {
          ...input,
          visibility: input.visibility ?? 'public',
        });
        return [said(ticketId, message), { ended }];
      });
    },
  };

  async function effect<Body extends object>(
    actor: Actor,
    idempotency: Idempotency | undefined,
    work: (db: Transaction<Tables>) => Promise<[Body, AfterCommit]>,
  ): Promise<Effect<Body>> {
    let after: AfterCommit = {};
    const result = await transaction(db, async (db) => {
      after = {};
      return once(db, actor.id, idempotency, async () => {
        const [body, afterCommit] = await work(db);
        after = afterCommit;
        return body;
      });
    });
    if (after.ended) await bus.publish(answersChanged, after.ended);
    await answers.announce(after.started);
    return result;
  }
}

const said = (
  ticketId: string,
  message: { id: string; seq: number },
  answerId: string | null = null,
): Said => ({ ticketId, messageId: message.id, seq: message.seq, answerId });

function refuseStaffFields(input: NewMessageInput): void {
  if (input.visibility === 'internal') {
    throw invalidField('/visibility', 'not-settable', 'Only staff write internal notes.');
  }
  if (input.status !== undefined) {
    throw invalidField('/status', 'not-settable', 'Only staff set a status with a message.');
  }
}
