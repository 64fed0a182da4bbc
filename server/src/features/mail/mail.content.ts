import type { Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';
import type { MailJob } from './mail.queues.ts';
import * as repository from './mail.repository.ts';
import * as templates from './mail.templates.ts';

/** Undefined when there is nothing to say any more. */
export type WriteMail = (
  job: MailJob,
  recipient: repository.Recipient,
) => Promise<ReturnType<typeof templates.renderMail> | undefined>;

/** Turns a row's id into the token of a link; undefined when there is none to give. */
export type GiveToken = (job: {
  kind: 'password-reset' | 'invitation';
  userId: string;
  aboutId: string;
}) => Promise<string | undefined>;

/** Writes mails from what is true at the moment of sending. Links lead to `publicUrl` only. */
export function createWriteMail(dependencies: {
  db: Kysely<Tables>;
  publicUrl: string;
  giveToken: GiveToken;
}): WriteMail {
  const { db, publicUrl, giveToken } = dependencies;

  async function contentOf(
    job: MailJob,
    { name }: repository.Recipient,
  ): Promise<templates.MailContent | undefined> {
    switch (job.kind) {
      case 'agent-replied':
      case 'ticket-resolved':
        return ticketContent(job);
      case 'webhook-disabled':
        return webhookContent(job);
      case 'password-reset':
      case 'invitation': {
        const token = await giveToken({ ...job, kind: job.kind });
        if (token === undefined) return undefined;
        // A fragment stays in the browser: no server's log has it.
        const url = `${publicUrl}/set-password#${token}`;
        return job.kind === 'invitation'
          ? templates.invitation({ url, name })
          : templates.passwordReset({ url });
      }
    }
  }

  async function ticketContent(job: MailJob): Promise<templates.MailContent | undefined> {
    const news = await repository.findTicketNews(db, job.aboutId);
    if (news?.requesterId !== job.userId) return undefined;
    const { number, title, ticketId, content } = news;
    const ticket = { number, title, url: `${publicUrl}/#ticket=${ticketId}` };
    if (job.kind === 'ticket-resolved') return templates.ticketResolved(ticket);
    if (content === null) return undefined;
    return templates.agentReplied({ ...ticket, content, agent: news.agent ?? 'An agent' });
  }

  async function webhookContent(job: MailJob): Promise<templates.MailContent | undefined> {
    const data = await repository.findEventData(db, job.aboutId);
    if (!data) return undefined;
    const { url, reason } = data;
    const text = (value: unknown): string => (typeof value === 'string' ? value : 'unknown');
    return templates.webhookDisabled({
      target: text(url),
      reason: text(reason),
      url: publicUrl,
    });
  }

  return async (job, recipient) => {
    const content = await contentOf(job, recipient);
    return content && templates.renderMail(content);
  };
}
