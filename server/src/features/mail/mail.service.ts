import type { Kysely } from 'kysely';
import type { Clock } from '../../platform/clock.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { Mailer } from '../../platform/mail/mailer.ts';
import type { Tables } from '../../tables.ts';
import { isReservedEmail } from '../auth/identity.ts';
import type { WriteMail } from './mail.content.ts';
import type { MailJob } from './mail.queues.ts';
import * as repository from './mail.repository.ts';

const hourMs = 60 * 60 * 1_000;

export type MailService = ReturnType<typeof createMailService>;

/** Sends what the queue holds, each once unless the process dies between the sending and the record. */
export function createMailService(dependencies: {
  db: Kysely<Tables>;
  clock: Clock;
  mailer: Mailer;
  write: WriteMail;
  perHourMax: number;
  logger: { info(details: object, message: string): void };
}) {
  const { db, clock, mailer, write, perHourMax, logger } = dependencies;

  return {
    async deliver(job: MailJob, { signal }: { signal: AbortSignal }): Promise<void> {
      const dropped = (reason: string): void =>
        logger.info({ mail: job.mailId, user: job.userId, kind: job.kind, reason }, 'mail dropped');
      const recipient = await repository.findRecipient(db, job.userId);
      if (!recipient || isReservedEmail(recipient.email)) return dropped('no recipient');
      const content = await write(job, recipient);
      if (!content) return dropped('no longer true');
      const standing = await begin(job);
      if (standing === 'sent') return;
      if (standing === 'too-many') return dropped('too many in an hour');
      const to = { name: recipient.name, address: recipient.email };
      const outcome = await mailer.send({ id: job.mailId, to, ...content }, { signal });
      if (outcome === 'refused') return dropped('refused');
      await repository.recordSent(db, job.mailId, clock.now());
    },
  };

  /** Counts the mail before it is sent, so that two at once cannot both be the last one. */
  function begin({ mailId: id, userId, kind }: MailJob): Promise<'begun' | 'sent' | 'too-many'> {
    return transaction(db, async (db) => {
      await repository.lockMailsOf(db, userId);
      const known = await repository.findMail(db, id);
      if (known) return known.sent_at ? 'sent' : 'begun';
      const now = clock.now();
      const count = await repository.countMails(db, userId, new Date(now.getTime() - hourMs));
      if (count >= perHourMax) return 'too-many';
      await repository.insertMail(db, { id, userId, kind, now });
      return 'begun';
    });
  }
}
