import type { TicketStatus } from '../../tables.ts';
import { isStaff, type Actor } from '../auth/actor.ts';

const byStaff: Record<TicketStatus, readonly TicketStatus[]> = {
  open: ['pending', 'on_hold', 'resolved', 'closed'],
  pending: ['open', 'on_hold', 'resolved', 'closed'],
  on_hold: ['open', 'pending', 'resolved', 'closed'],
  resolved: ['open', 'closed'],
  closed: [],
};

const byCustomer: Record<TicketStatus, readonly TicketStatus[]> = {
  open: ['resolved'],
  pending: ['resolved'],
  on_hold: ['resolved'],
  resolved: ['open'],
  closed: [],
};

/** The statuses that the actor may move a ticket to from `status`. */
export const nextStatuses = (actor: Actor, status: TicketStatus): readonly TicketStatus[] =>
  (isStaff(actor) ? byStaff : byCustomer)[status];

/** A customer's message brings a ticket that waits for them, or was resolved, back to the queue. */
export const statusAfterCustomerMessage = (status: TicketStatus): TicketStatus =>
  status === 'closed' ? 'closed' : 'open';

/** Fields of a ticket that only staff may set. */
export const staffFields = [
  'priority',
  'tags',
  'assignee_id',
  'assistant',
  'requester_id',
] as const;
