import type { Transaction } from 'kysely';
import type { Tables } from '../../tables.ts';
import type { EventConsumer } from '../events/events.relay.ts';
import type { EventRow } from '../events/events.repository.ts';
import type { MailKind } from './mail.queues.ts';
import * as repository from './mail.repository.ts';

export type NewMail = { kind: MailKind; userId: string; aboutId: string };
/** Leaves a mail to be sent in the transaction of what it tells of. */
export type SendMail = (db: Transaction<Tables>, mail: NewMail) => Promise<void>;

const webhookDisabled = 'webhook.disabled';

/** Leaves a mail for everybody who should learn of an event. */
export const createMailConsumer =
  ({ sendMail }: { sendMail: SendMail }): EventConsumer =>
  async (db, events) => {
    await tellRequesters(db, events, sendMail);
    await tellAdmins(db, events, sendMail);
  };

async function tellRequesters(
  db: Transaction<Tables>,
  events: readonly EventRow[],
  sendMail: SendMail,
): Promise<void> {
  const news = events.flatMap((event) => {
    const kind = kindForRequester(event);
    return kind && event.ticket_id ? [{ kind, event, ticketId: event.ticket_id }] : [];
  });
  if (news.length === 0) return;
  const requesters = await repository.findRequesters(
    db,
    news.map(({ ticketId }) => ticketId),
  );
  for (const { kind, event, ticketId } of news) {
    const userId = requesters.get(ticketId);
    // Who did it knows.
    if (userId && userId !== event.actor_id)
      await sendMail(db, { kind, userId, aboutId: event.id });
  }
}

async function tellAdmins(
  db: Transaction<Tables>,
  events: readonly EventRow[],
  sendMail: SendMail,
): Promise<void> {
  const news = events.filter(({ type }) => type === webhookDisabled);
  if (news.length === 0) return;
  const admins = await repository.listAdmins(db);
  for (const { id: aboutId } of news) {
    for (const userId of admins) await sendMail(db, { kind: 'webhook-disabled', userId, aboutId });
  }
}

function kindForRequester({ type, actor_type, data }: EventRow): MailKind | undefined {
  if (type === 'message.created') {
    const isReply = data['author_type'] === 'agent' && data['visibility'] === 'public';
    return isReply ? 'agent-replied' : undefined;
  }
  const isResolved = type === 'ticket.status_changed' && data['status'] === 'resolved';
  return isResolved && actor_type === 'agent' ? 'ticket-resolved' : undefined;
}
