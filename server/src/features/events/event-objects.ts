import type { Selectable } from 'kysely';
import type {
  AnswersTable,
  ArticlesTable,
  MessagesTable,
  TicketsTable,
  UsersTable,
} from '../../tables.ts';

/*
 * The objects of events: what is kept of them for good, and what webhooks send. Ids and short values
 * only; who wants more reads the object itself.
 */

export const ticketObject = (ticket: Selectable<TicketsTable>) => ({
  id: ticket.id,
  number: ticket.number,
  title: ticket.title,
  status: ticket.status,
  priority: ticket.priority,
  requester_id: ticket.requester_id,
  assignee_id: ticket.assignee_id,
  tags: ticket.tags,
  assistant: ticket.assistant,
  handoff_reason: ticket.handoff_reason,
  channel: ticket.channel,
  version: ticket.version,
});

/** Its text stays in its own table. */
export const messageObject = (message: Selectable<MessagesTable>) => ({
  id: message.id,
  ticket_id: message.ticket_id,
  seq: message.seq,
  author_type: message.author_type,
  author_id: message.author_id,
  visibility: message.visibility,
  answer_id: message.answer_id,
});

type AnswerFacts = Pick<
  Selectable<AnswersTable>,
  | 'id'
  | 'ticket_id'
  | 'message_id'
  | 'state'
  | 'verdict'
  | 'handoff_mode'
  | 'handoff_reason'
  | 'feedback_helpful'
>;

export const answerObject = (answer: AnswerFacts) => ({
  id: answer.id,
  ticket_id: answer.ticket_id,
  message_id: answer.message_id,
  state: answer.state,
  verdict: answer.verdict,
  handoff_mode: answer.handoff_mode,
  handoff_reason: answer.handoff_reason,
  helpful: answer.feedback_helpful,
});

export const articleObject = (article: Selectable<ArticlesTable>) => ({
  id: article.id,
  title: article.title,
  status: article.status,
  audience: article.audience,
  version: article.version,
});

/** A name and an e-mail are personal: the event does not keep them. */
export const userObject = (user: Selectable<UsersTable>) => ({
  id: user.id,
  role: user.role,
  disabled: user.disabled_at !== null,
});
