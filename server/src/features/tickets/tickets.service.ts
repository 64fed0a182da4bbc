import type { Kysely, Transaction } from 'kysely';
import { AppError, invalidField, notFound } from '../../errors.ts';
import type { Bus } from '../../platform/bus/bus.ts';
import type { Clock } from '../../platform/clock.ts';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import { transaction } from '../../platform/database/transaction.ts';
import { requireVersion, type IfMatch } from '../../platform/database/version.ts';
import type {
  AssistantMode,
  HandoffReason,
  Tables,
  TicketPriority,
  TicketStatus,
} from '../../tables.ts';
import { isStaff, type Actor } from '../auth/actor.ts';
import { assistantActor, personOf } from '../events/event-actors.ts';
import { answerObject, messageObject, ticketObject } from '../events/event-objects.ts';
import type { EventActor, EventsService, EventView } from '../events/events.service.ts';
import { answersChanged } from './answers-changed.ts';
import { nextStatuses, staffFields, statusAfterCustomerMessage } from './tickets.policy.ts';
import * as repository from './tickets.repository.ts';
import type { MessageView, TicketRow, TicketView } from './tickets.repository.ts';

export type { TicketFilter, TicketRow, TicketSort } from './tickets.repository.ts';

export type CreateTicket = {
  title: string;
  description: string;
  requester_id?: string;
  priority?: TicketPriority;
  tags?: string[];
  channel?: string;
};

export type UpdateTicket = {
  title?: string;
  status?: TicketStatus;
  priority?: TicketPriority;
  assignee_id?: string | null;
  tags?: string[];
  assistant?: AssistantMode;
};

export type ListTickets = {
  filter: repository.TicketFilter;
  sort: repository.TicketSort;
  limit: number;
  cursor: string | undefined;
};

export type TicketWithMessages = TicketView & {
  messages: MessageView[];
  olderCursor: string | null;
};

/** How many messages come with a ticket. */
const newestMessages = 50;

export type TicketsService = ReturnType<typeof createTicketsService>;

export function createTicketsService(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
  bus: Bus;
  clock: Clock;
}) {
  const { db, events, bus, clock } = dependencies;

  async function requireVisible(actor: Actor, id: string): Promise<void> {
    if (!(await repository.findVisible(db, actor, id))) throw notFound();
  }

  return {
    async get(actor: Actor, id: string): Promise<TicketWithMessages> {
      // In this order: messages may be newer than the ticket, never older, so that a reader who sees
      // that the answer has ended also sees its message.
      const ticket = await repository.findVisible(db, actor, id);
      if (!ticket) throw notFound();
      const newest = await repository.listMessages(db, actor, id, {
        limit: newestMessages,
        direction: 'desc',
        afterSeq: undefined,
      });
      const { data, next_cursor } = pageOf(newest, newestMessages, [id, 'desc'], bySeq);
      return { ...ticket, messages: data.reverse(), olderCursor: next_cursor };
    },

    async list(
      actor: Actor,
      { filter, sort, limit, cursor }: ListTickets,
    ): Promise<Page<TicketView>> {
      const boundTo = ['tickets', actor.id, filter, sort];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo);
      const rows = await repository.list(db, actor, filter, sort, { limit, after });
      return pageOf(rows, limit, boundTo, (row) =>
        sort.column === 'number' ? String(row.number) : row[sort.column].toISOString(),
      );
    },

    async listMessages(
      actor: Actor,
      id: string,
      page: { limit: number; direction: 'asc' | 'desc'; cursor: string | undefined },
    ): Promise<Page<MessageView>> {
      const boundTo = [id, page.direction];
      const afterSeq =
        page.cursor === undefined ? undefined : Number(decodeCursor(page.cursor, boundTo).value);
      const [ticket, rows] = await Promise.all([
        repository.findVisible(db, actor, id),
        repository.listMessages(db, actor, id, { ...page, afterSeq }),
      ]);
      if (!ticket) throw notFound();
      return pageOf(rows, page.limit, boundTo, bySeq);
    },

    /** A message of a ticket that the actor may see. */
    async getMessage(actor: Actor, id: string, seq: number): Promise<MessageView> {
      const [message] = await repository.listMessages(db, actor, id, {
        limit: 1,
        direction: 'asc',
        afterSeq: seq - 1,
      });
      if (message?.seq !== seq) throw notFound();
      return message;
    },

    async timeline(
      actor: Actor,
      id: string,
      page: { limit: number; direction: 'asc' | 'desc'; cursor: string | undefined },
    ): Promise<Page<EventView>> {
      await requireVisible(actor, id);
      return events.timeline(actor, id, page);
    },

    /** Throws 404 unless the actor may see the ticket. */
    requireVisible,

    /** Creates a ticket with its description as message 1, in the caller's transaction. */
    async create(db: Transaction<Tables>, actor: Actor, input: CreateTicket): Promise<TicketRow> {
      if (!isStaff(actor)) refuseStaffFields(input);
      const onBehalf = input.requester_id !== undefined && input.requester_id !== actor.id;
      if (onBehalf) await requireUser(db, input.requester_id, 'requester_id', ['customer']);
      const now = clock.now();
      const ticket = await repository.insert(
        db,
        {
          title: input.title,
          description: input.description,
          requester_id: input.requester_id ?? actor.id,
          priority: input.priority ?? 'normal',
          tags: [...new Set(input.tags ?? [])],
          channel: input.channel ?? 'api',
          // A person who writes on somebody's behalf has the conversation in hand.
          assistant: onBehalf ? 'paused' : 'active',
        },
        now,
      );
      await events.record(db, {
        type: 'ticket.created',
        actor: personOf(actor),
        subjectId: ticket.id,
        ticketId: ticket.id,
        data: ticketObject(ticket),
      });
      await appendAndRecord(db, personOf(actor), {
        ticketId: ticket.id,
        authorType: 'customer',
        authorId: ticket.requester_id,
        content: ticket.description,
      });
      return ticket;
    },

    async update(
      actor: Actor,
      id: string,
      input: UpdateTicket,
      ifMatch: IfMatch,
    ): Promise<TicketView> {
      const ended = await transaction(db, async (db) => {
        const ticket = await repository.lockVisible(db, actor, id);
        if (!ticket) throw notFound();
        if (!isStaff(actor)) refuseStaffFields(input);
        requireVersion(ticket, ifMatch);
        return change(db, actor, ticket, input);
      });
      await bus.publish(answersChanged, ended);
      const view = await repository.findVisible(db, actor, id);
      if (!view) throw notFound();
      return view;
    },

    /** Locks a ticket that the actor may see, for a transaction of another feature. */
    async lockVisible(db: Transaction<Tables>, actor: Actor, id: string): Promise<TicketRow> {
      const ticket = await repository.lockVisible(db, actor, id);
      if (!ticket) throw notFound();
      return ticket;
    },
    lock: repository.lock,

    /** A message of the requester: brings the ticket back to the queue. */
    async appendFromRequester(
      db: Transaction<Tables>,
      actor: Actor,
      ticket: TicketRow,
      content: string,
    ): Promise<{ id: string; seq: number }> {
      const message = await appendAndRecord(db, personOf(actor), {
        ticketId: ticket.id,
        authorType: 'customer',
        authorId: actor.id,
        content,
      });
      await moveTo(db, personOf(actor), ticket, statusAfterCustomerMessage(ticket.status));
      return message;
    },

    /**
     * A message of a person of the team. A public one takes the ticket over: the assistant falls
     * silent in this transaction, and what it had shown stands before the reply.
     * Returns the answers that this ended.
     */
    async appendFromStaff(
      db: Transaction<Tables>,
      actor: Actor,
      ticket: TicketRow,
      input: { content: string; visibility: 'public' | 'internal'; status?: TicketStatus },
    ): Promise<{ message: { id: string; seq: number }; ended: string[] }> {
      const isPublic = input.visibility === 'public';
      const by = personOf(actor);
      const { ticket: taken, ended } = isPublic
        ? await takeOver(db, by, ticket)
        : { ticket, ended: [] };
      await recordChange(db, by, ticket, taken);
      const message = await appendAndRecord(db, by, {
        ticketId: ticket.id,
        authorType: 'agent',
        authorId: actor.id,
        visibility: input.visibility,
        content: input.content,
      });
      const status = input.status ?? (isPublic ? 'pending' : ticket.status);
      if (input.status) requireMove(actor, ticket, input.status);
      await moveTo(db, by, taken, status);
      return { message, ended };
    },

    /** Appends what the assistant or the system says, and records it. */
    appendMessage: (db: Transaction<Tables>, actor: EventActor, message: repository.NewMessage) =>
      appendAndRecord(db, actor, message),

    moveTo,
    tellEnds,
    findVisible: (actor: Actor, id: string) => repository.findVisible(db, actor, id),

    /** Takes the ticket out of the people's queue and gives it back to the assistant. */
    async reactivate(db: Transaction<Tables>, actor: Actor, ticket: TicketRow): Promise<void> {
      const changes = { ...clearedHandoff, assistant: 'active' as const };
      const updated = await repository.update(db, ticket.id, changes, clock.now());
      await recordChange(db, personOf(actor), ticket, updated);
    },

    /** Puts the ticket into the people's queue and silences the assistant. */
    async handOff(
      db: Transaction<Tables>,
      actor: EventActor,
      ticket: TicketRow,
      handoff: { reason: HandoffReason; answerId: string | null },
    ): Promise<void> {
      const now = clock.now();
      const updated = await repository.update(
        db,
        ticket.id,
        {
          assistant: ticket.assistant === 'off' ? 'off' : 'paused',
          handoff_reason: handoff.reason,
          handoff_at: now,
          handoff_answer_id: handoff.answerId,
        },
        now,
      );
      await recordChange(db, actor, ticket, updated);
      if (ticket.status !== 'closed') await moveTo(db, actor, updated, 'open');
    },
  };

  async function change(
    db: Transaction<Tables>,
    actor: Actor,
    ticket: TicketRow,
    input: UpdateTicket,
  ): Promise<string[]> {
    const changes = changesOf(ticket, input);
    if (Object.keys(changes).length === 0) return [];
    if (ticket.status === 'closed') throw new AppError('ticket-closed', 'The ticket is closed.');
    if (changes.status) requireMove(actor, ticket, changes.status);
    if (changes.assignee_id) {
      await requireUser(db, changes.assignee_id, 'assignee_id', ['agent', 'admin']);
    }
    const by = personOf(actor);
    const ended: string[] = [];
    if (changes.assignee_id || changes.assistant === 'paused' || changes.assistant === 'off') {
      ended.push(...(await takeOver(db, by, ticket, changes.assignee_id ? 'clear' : 'keep')).ended);
    }
    if (changes.status === 'resolved' || changes.status === 'closed') {
      const cancelled = await repository.endLiveAnswers(db, ticket.id, 'cancelled');
      ended.push(...(await tellEnds(db, by, 'answer.cancelled', cancelled)));
    }
    const { status, ...fields } = changes;
    const version = ticket.version + 1;
    const updated = await repository.update(db, ticket.id, { ...fields, version }, clock.now());
    await recordChange(db, by, ticket, updated);
    if (status) await moveTo(db, by, updated, status);
    return ended;
  }

  /**
   * What a person's public reply, claim or pause does to the assistant and to the people's queue.
   * Returns the ticket as it is then, and the answers that ended.
   */
  async function takeOver(
    db: Transaction<Tables>,
    actor: EventActor,
    ticket: TicketRow,
    queue: 'clear' | 'keep' = 'clear',
  ): Promise<{ ticket: TicketRow; ended: string[] }> {
    const answers = await repository.silenceAssistant(db, ticket.id);
    const ended = await tellEnds(db, actor, 'answer.superseded', answers);
    if (queue === 'clear' && ticket.handoff_at) {
      const taken = await repository.update(db, ticket.id, clearedHandoff, clock.now());
      return { ticket: taken, ended };
    }
    const assistant = ticket.assistant === 'active' ? 'paused' : ticket.assistant;
    return { ticket: { ...ticket, assistant }, ended };
  }

  /** Keeps what cut answers had shown, and records who cut them. */
  async function tellEnds(
    db: Transaction<Tables>,
    actor: EventActor,
    type: 'answer.cancelled' | 'answer.superseded',
    answers: repository.EndedAnswer[],
  ): Promise<string[]> {
    for (const answer of answers) {
      await keepShownText(db, answer);
      await events.record(db, {
        type,
        actor,
        subjectId: answer.id,
        ticketId: answer.ticket_id,
        data: answerObject(answer),
      });
    }
    return answers.map((answer) => answer.id);
  }

  /** What the customer saw is what is saved: also of an answer that was cut short. */
  async function keepShownText(
    db: Transaction<Tables>,
    answer: repository.EndedAnswer,
  ): Promise<void> {
    if (answer.text === '') return;
    await appendAndRecord(db, assistantActor, {
      id: answer.message_id,
      ticketId: answer.ticket_id,
      authorType: 'assistant',
      authorId: null,
      content: answer.text,
      answerId: answer.id,
    });
  }

  async function appendAndRecord(
    db: Transaction<Tables>,
    actor: EventActor,
    message: repository.NewMessage,
  ): Promise<{ id: string; seq: number }> {
    const appended = await repository.appendMessage(db, message, clock.now());
    await events.record(db, {
      type: 'message.created',
      actor,
      subjectId: appended.id,
      ticketId: message.ticketId,
      data: messageObject(appended),
    });
    return { id: appended.id, seq: appended.seq };
  }

  /** Moves a locked ticket to a status, with all that hangs on it. */
  async function moveTo(
    db: Transaction<Tables>,
    actor: EventActor,
    ticket: TicketRow,
    status: TicketStatus,
  ): Promise<void> {
    if (status === ticket.status) return;
    const now = clock.now();
    const isDone = status === 'resolved' || status === 'closed';
    const moved = await repository.update(
      db,
      ticket.id,
      {
        status,
        resolved_at: isDone ? (ticket.resolved_at ?? now) : null,
        ...(isDone && clearedHandoff),
      },
      now,
    );
    await events.record(db, {
      type: 'ticket.status_changed',
      actor,
      subjectId: ticket.id,
      ticketId: ticket.id,
      data: ticketObject(moved),
      previous: { status: ticket.status },
    });
  }

  /** Records what differs, but for the status: that is `moveTo`'s. */
  async function recordChange(
    db: Transaction<Tables>,
    actor: EventActor,
    before: TicketRow,
    after: TicketRow,
  ): Promise<void> {
    const { assignee_id, ...others } = previousOf(before, after);
    const change = { actor, subjectId: after.id, ticketId: after.id, data: ticketObject(after) };
    if (assignee_id !== undefined) {
      await events.record(db, { ...change, type: 'ticket.assigned', previous: { assignee_id } });
    }
    if (Object.keys(others).length > 0) {
      await events.record(db, { ...change, type: 'ticket.updated', previous: others });
    }
  }

  async function requireUser(
    db: Transaction<Tables>,
    id: string | undefined,
    field: string,
    roles: ('customer' | 'agent' | 'admin')[],
  ): Promise<void> {
    const user = await db
      .selectFrom('users')
      .select(['role'])
      .where('id', '=', id ?? '')
      .where('disabled_at', 'is', null)
      .executeTakeFirst();
    if (!user || !roles.includes(user.role)) {
      throw invalidField(`/${field}`, 'unknown-user', `There is no such ${roles.join(' or ')}.`);
    }
  }
}

const clearedHandoff = { handoff_reason: null, handoff_at: null, handoff_answer_id: null };

const bySeq = (message: { seq: number }): string => String(message.seq);

function refuseStaffFields(input: object): void {
  const field = staffFields.find((name) => name in input);
  if (field) throw invalidField(`/${field}`, 'not-settable', 'Only staff may set this field.');
}

function requireMove(actor: Actor, ticket: TicketRow, status: TicketStatus): void {
  if (status === ticket.status) return;
  const allowed = nextStatuses(actor, ticket.status);
  if (allowed.includes(status)) return;
  const options = allowed.length > 0 ? `You may choose: ${allowed.join(', ')}.` : '';
  throw new AppError(
    'invalid-state',
    `A ticket that is ${ticket.status} cannot become ${status}. ${options}`.trim(),
  );
}

const recorded = [
  'title',
  'priority',
  'assignee_id',
  'tags',
  'assistant',
  'handoff_reason',
] as const;

/** The values of `before` that `after` has differently. */
function previousOf(before: TicketRow, after: TicketRow): Partial<TicketRow> {
  const changed = recorded.filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  return Object.fromEntries(changed.map((name) => [name, before[name]]));
}

/** Only what really differs counts as a change. */
function changesOf(ticket: TicketRow, input: UpdateTicket): UpdateTicket {
  const wanted = { ...input, ...(input.tags && { tags: [...new Set(input.tags)] }) };
  return Object.fromEntries(
    Object.entries(wanted).filter(
      ([name, value]) => JSON.stringify(value) !== JSON.stringify(ticket[name as keyof TicketRow]),
    ),
  );
}
