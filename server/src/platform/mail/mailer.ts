import { createTransport } from 'nodemailer';
import { outcomeOf, type SendOutcome } from './mail-errors.ts';
import { oneLine } from './mail-headers.ts';
import { smtpOptionsOf } from './smtp-url.ts';

export type Mail = {
  /** The same for every attempt: the Message-ID is made from it. */
  id: string;
  to: { name: string; address: string };
  subject: string;
  text: string;
  html: string;
};

export type Mailer = ReturnType<typeof createMailer>;

export type MailerOptions = {
  url: string;
  from: string;
  /** How long the other server may take for each step. */
  stepMs?: number;
};

/** Sends mails, one connection each, to the server of an `smtp://` or `smtps://` URL. */
export function createMailer({ url, from, stepMs = 15_000 }: MailerOptions) {
  const transport = createTransport({
    ...smtpOptionsOf(url),
    connectionTimeout: stepMs,
    greetingTimeout: stepMs,
    dnsTimeout: stepMs,
    socketTimeout: stepMs,
    // A mail is made of its text only, whatever that says.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([^\s<>@]+?)>?$/.exec(from)?.[1] ?? 'localhost';

  return {
    /** Throws what another attempt may mend; what none will is an outcome. */
    async send(mail: Mail, { signal }: { signal?: AbortSignal } = {}): Promise<SendOutcome> {
      const { name, address } = mail.to;
      const sending = transport.sendMail({
        signal,
        messageId: `<${mail.id}@${domain}>`,
        from,
        to: { name: oneLine(name), address },
        subject: oneLine(mail.subject),
        text: mail.text,
        html: mail.html,
        // Keeps holiday notices and other robots from replying.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Auto-Response-Suppress': 'All' },
      });
      return sending.then(() => 'sent' as const, outcomeOf);
    },

    /** Throws when the server cannot be reached or does not let us in. */
    async check(): Promise<void> {
      await transport.verify();
    },
  };
}
