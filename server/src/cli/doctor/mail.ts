import type { Config } from '../../config.ts';
import { createMailer } from '../../platform/mail/mailer.ts';
import { reasonOf } from '../failure.ts';
import type { Check } from './check.ts';

const stepMs = 5_000;

/** Whether the mail server is there and lets us in; nothing is sent. */
export async function checkMail({ mail }: Config): Promise<Check[]> {
  const name = 'Mail';
  if (!mail) return [{ name, ok: true, detail: 'off (SMTP_URL sends mail)' }];
  const { host } = new URL(mail.url);
  try {
    await createMailer({ ...mail, stepMs }).check();
    return [{ name, ok: true, detail: `${host}, from ${mail.from}` }];
  } catch (error) {
    const fix = 'Check host, port, user and password in SMTP_URL.';
    return [{ name, ok: false, detail: `${host}: ${reasonOf(error)}`, fix }];
  }
}
