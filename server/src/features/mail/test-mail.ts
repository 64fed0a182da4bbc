import { sql } from 'kysely';
import { startFakeSmtp, type FakeSmtp, type ReceivedMail } from '../../../test/fake-smtp.ts';
import { startTestApp, until, type TestApp } from '../../../test/harness.ts';

export const publicUrl = 'https://support.example';

/** An instance that sends mail and works on its jobs, with the server that it sends to. */
export async function startMailingApp(
  env: Record<string, string> = {},
): Promise<{ app: TestApp; smtp: FakeSmtp; close(): Promise<void> }> {
  const smtp = await startFakeSmtp();
  const app = await startTestApp({
    env: {
      SMTP_URL: smtp.url,
      MAIL_FROM: 'The Shop <support@shop.example>',
      PUBLIC_URL: publicUrl,
      RUN_JOBS: 'true',
      ...env,
    },
  });
  return {
    app,
    smtp,
    async close() {
      await smtp.close();
      await app.close();
    },
  };
}

/** The newest mail to an address, when there are so many. */
export const mailTo = (smtp: FakeSmtp, email: string, count = 1): Promise<ReceivedMail> =>
  until(
    `${count} mails to ${email}`,
    () => {
      const mails = smtp.mailsTo(email);
      return mails.length >= count && mails[count - 1];
    },
    30_000,
  );

/** Until everything that happened is passed on, and every job that hangs on it has ended. */
export async function settled(app: TestApp): Promise<void> {
  await until('the relay', async () => {
    const { db } = app;
    const waiting = await db
      .selectFrom('events')
      .select('id')
      .where('position', 'is', null)
      .execute();
    return waiting.length === 0;
  });
  await until('the jobs', async () => (await liveJobs(app)) === 0, 30_000);
}

async function liveJobs({ db }: TestApp): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*)::int as count from pgboss.job
    where name = 'mails' and state not in ('completed', 'failed', 'cancelled')`.execute(db);
  return rows[0]?.count ?? 0;
}

/** The token of the link in a mail. */
export function tokenIn({ text }: ReceivedMail): string {
  const [, token] = /\/set-password#(\S+)/.exec(text) ?? [];
  if (!token) throw new Error(`There is no token in: ${text}`);
  return token;
}
