import { randomUUIDv7 } from 'node:crypto';
import { sql } from 'kysely';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createFactories } from '../../../test/factories.ts';
import type { FakeSmtp } from '../../../test/fake-smtp.ts';
import { startTestApp, until, type TestApp, type TestClient } from '../../../test/harness.ts';
import { transaction } from '../../platform/database/transaction.ts';
import { mailTo, publicUrl, settled, startMailingApp } from './test-mail.ts';

let app: TestApp;
let smtp: FakeSmtp;
let close: () => Promise<void>;
let make: ReturnType<typeof createFactories>;
let customer: TestClient;
let agent: TestClient;
beforeAll(async () => {
  ({ app, smtp, close } = await startMailingApp({ MAILS_PER_HOUR_MAX: '4' }));
  make = createFactories(app);
  agent = await app.as('agent');
});
afterEach(() => smtp.behave('accept'));
afterAll(() => close());

const api = '/api/v1';
const reply = (ticketId: string, content: string, more: object = {}) =>
  agent.post(`${api}/tickets/${ticketId}/messages`, { content, ...more });

async function newTicket(title = 'Shoes do not fit'): Promise<string> {
  customer = await app.as('customer');
  return make.ticket(customer, { title });
}

const mailsIn = (email: string): number => smtp.mailsTo(email).length;

test("an agent's reply comes to the requester, with its text and a link", async () => {
  const id = await newTicket();
  const { body } = await agent.get(`${api}/tickets/${id}`);
  await reply(id, 'You have 30 days.\n\nShoes: indoors only.');
  const mail = await mailTo(smtp, customer.user.email);
  expect(mail).toMatchObject({
    from: 'support@shop.example',
    to: [customer.user.email],
    subject: `An agent replied: #${body.number} Shoes do not fit`,
  });
  expect(mail.text).toContain('> You have 30 days.\n> \n> Shoes: indoors only.\n');
  expect(mail.text).toContain(`${publicUrl}/#ticket=${id}\n`);
  expect(mail.html).toContain(`<a href="${publicUrl}/#ticket=${id}">Open the conversation</a>`);
  expect(mail.headers.get('from')).toBe('The Shop <support@shop.example>');
  expect(mail.headers.get('to')).toBe(`${customer.user.name} <${customer.user.email}>`);
  expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
  expect(mail.headers.get('message-id')).toMatch(/^<[\w-]{36}@shop\.example>$/);
});

test('HTML in what people write stays text', async () => {
  const id = await newTicket('<b>Shoes</b> & "socks"');
  await reply(id, `<img src=x onerror=alert(1)> <a href='https://evil.example'>here</a>`);
  const { html, text, subject } = await mailTo(smtp, customer.user.email);
  expect(html).not.toMatch(/<img|<b>|href='/);
  expect(html).toContain('&lt;img src=x onerror=alert(1)&gt; &lt;a href=&#39;https://evil.example');
  expect(html.match(/href="[^"]*"/g)).toEqual([`href="${publicUrl}/#ticket=${id}"`]);
  expect(text).toContain('> <img src=x onerror=alert(1)>');
  expect(subject).toContain('<b>Shoes</b> & "socks"');
});

test('letters of all languages arrive as they are', async () => {
  const id = await newTicket('Größe passt nicht – 靴');
  await reply(id, 'Grüße, 世界 🙂');
  const { subject, text } = await mailTo(smtp, customer.user.email);
  expect(subject).toContain('Größe passt nicht – 靴');
  expect(text).toContain('> Grüße, 世界 🙂');
});

test('a line break in a name or a title makes no header', async () => {
  const id = await newTicket('Shoes\r\nBcc: victim@example.com\r\n\r\nBody');
  const name = 'Ada\r\nBcc: victim@example.com\r\nX-Evil: 1';
  await app.db.updateTable('users').set({ name }).where('id', '=', customer.user.id).execute();
  await reply(id, 'Hello.\r\n.\r\nMAIL FROM:<evil@example.com>\r\n.');
  const mail = await mailTo(smtp, customer.user.email);
  expect(mail.to).toEqual([customer.user.email]);
  expect(['bcc', 'x-evil'].map((header) => mail.countOf(header))).toEqual([0, 0]);
  expect(mail.countOf('to')).toBe(1);
  expect(mail.subject).toContain('Shoes Bcc: victim@example.com Body');
  expect(mail.text).toContain('> .\n> MAIL FROM:<evil@example.com>\n> .');
  expect(smtp.mailsTo('victim@example.com')).toEqual([]);
});

test('what an agent resolves is told to the requester', async () => {
  const id = await newTicket();
  await agent.patch(`${api}/tickets/${id}`, { status: 'resolved' });
  const mail = await mailTo(smtp, customer.user.email);
  expect(mail.subject).toMatch(/^Resolved: #\d+ Shoes do not fit$/);
  expect(mail.text).toContain(`${publicUrl}/#ticket=${id}\n`);
});

test('notes, own messages and own resolutions are told to nobody', async () => {
  const id = await newTicket();
  await reply(id, 'Between us.', { visibility: 'internal' });
  await customer.post(`${api}/tickets/${id}/messages`, { content: 'One more thing.' });
  await customer.patch(`${api}/tickets/${id}`, { status: 'resolved' });
  await settled(app);
  expect(mailsIn(customer.user.email)).toBe(0);
});

test.each(['disabled', 'deleted'])('a %s user gets no mail', async (what) => {
  const admin = await app.as('admin');
  const id = await newTicket();
  if (what === 'deleted') await customer.delete(`${api}/me`);
  else await admin.patch(`${api}/users/${customer.user.id}`, { disabled: true });
  const attempts = smtp.attempts();
  await reply(id, 'Are you there?');
  await settled(app);
  expect(smtp.attempts()).toBe(attempts);
});

test('a webhook that is switched off is told to every admin who can sign in', async () => {
  const admins = [await app.as('admin'), await app.as('admin')];
  const gone = await app.as('admin');
  await admins[0]?.patch(`${api}/users/${gone.user.id}`, { disabled: true });
  const id = randomUUIDv7();
  await transaction(app.db, (db) =>
    app.container.events.record(db, {
      type: 'webhook.disabled',
      actor: { type: 'system', id: null },
      subjectId: id,
      data: { id, url: 'https://hooks.example/<in>', reason: 'It failed 20 times.' },
    }),
  );
  for (const { user } of admins) {
    const mail = await mailTo(smtp, user.email);
    expect(mail.subject).toBe('A webhook was switched off');
    expect(mail.text).toContain('https://hooks.example/<in> gets no more events: It failed 20');
    expect(mail.html).toContain('https://hooks.example/&lt;in&gt;');
    expect(mail.html.match(/href="[^"]*"/g)).toEqual([`href="${publicUrl}"`]);
  }
  await settled(app);
  expect(mailsIn(gone.user.email) + mailsIn(agent.user.email)).toBe(0);
});

test('more than so many in an hour are dropped, and an hour later they come again', async () => {
  const id = await newTicket();
  for (let count = 1; count <= 6; count += 1) await reply(id, `Reply ${count}.`);
  await settled(app);
  expect(mailsIn(customer.user.email)).toBe(4);
  app.clock.advance(61 * 60_000);
  // An access token would be too old by now.
  agent = await app.as('agent');
  await reply(id, 'Later.');
  expect((await mailTo(smtp, customer.user.email, 5)).text).toContain('> Later.');
});

test.each(['delay', 'drop'] as const)(
  'a server that would rather not (%s) gets the mail later, once',
  async (behaviour) => {
    const id = await newTicket();
    const attempts = smtp.attempts();
    smtp.behave(behaviour);
    await reply(id, 'Patience.');
    await until('an attempt', () => smtp.attempts() > attempts);
    expect(mailsIn(customer.user.email)).toBe(0);
    smtp.behave('accept');
    await mailTo(smtp, customer.user.email);
    await settled(app);
    expect(mailsIn(customer.user.email)).toBe(1);
  },
);

test('a mail whose acceptance was lost is sent again, with the same Message-ID', async () => {
  const id = await newTicket();
  smtp.behave('lose-reply');
  await reply(id, 'Twice, perhaps.');
  await mailTo(smtp, customer.user.email);
  smtp.behave('accept');
  await mailTo(smtp, customer.user.email, 2);
  await settled(app);
  const ids = smtp.mailsTo(customer.user.email).map(({ headers }) => headers.get('message-id'));
  expect(ids).toHaveLength(2);
  expect(new Set(ids).size).toBe(1);
});

test('a mailbox that does not exist is asked once', async () => {
  const id = await newTicket();
  const attempts = smtp.attempts();
  smtp.behave('refuse');
  await reply(id, 'Nobody there.');
  await until('the attempt', () => smtp.attempts() > attempts);
  await settled(app);
  expect(smtp.attempts()).toBe(attempts + 1);
});

test('without a mail server nothing waits to be sent', async () => {
  const without = await startTestApp();
  try {
    const their = createFactories(without);
    const id = await their.ticket(await without.as('customer'));
    const by = await without.as('agent');
    await by.post(`${api}/tickets/${id}/messages`, { content: 'Hello.', status: 'resolved' });
    expect(await their.positionOf(id)).toBeGreaterThan(0);
    await until('the relay', async () => {
      const { rows } = await sql`select from events where position is null`.execute(without.db);
      return rows.length === 0;
    });
    const jobs = await sql`select from pgboss.job where name = 'mails'`.execute(without.db);
    expect(jobs.rows).toEqual([]);
  } finally {
    await without.close();
  }
});
