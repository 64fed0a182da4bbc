import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startFakeSmtp, type FakeSmtp } from '../../../test/fake-smtp.ts';
import { createMailer } from './mailer.ts';

let smtp: FakeSmtp;
beforeAll(async () => {
  smtp = await startFakeSmtp();
});
afterEach(() => smtp.behave('accept'));
afterAll(() => smtp.close());

const from = 'Support <support@shop.example>';
const mailer = (stepMs = 5_000) => createMailer({ url: smtp.url, from, stepMs });
const mail = {
  id: '0199f3a0-0000-7000-8000-000000000001',
  to: { name: 'Ada, "the" <first>', address: 'ada@example.com' },
  subject: 'Hello',
  text: 'Hello.\n',
  html: '<p>Hello.</p>',
};

test('a mail has both forms, and says that it is automatic', async () => {
  expect(await mailer().send(mail)).toBe('sent');
  const received = smtp.mails.at(-1);
  expect(received).toMatchObject({ to: ['ada@example.com'], subject: 'Hello' });
  expect(received?.text.trim()).toBe('Hello.');
  expect(received?.html.trim()).toBe('<p>Hello.</p>');
  expect(received?.headers.get('auto-submitted')).toBe('auto-generated');
  expect(received?.headers.get('message-id')).toBe(`<${mail.id}@shop.example>`);
  expect(received?.headers.get('to')).toContain('<ada@example.com>');
});

test.each([
  'a\r\nBcc: b@example.com',
  'a\nBcc: b@example.com',
  'a\rBcc: b@example.com',
  'a\u2028Bcc: b@example.com',
  'a\0b',
])('%j makes no header of its own', async (text) => {
  await mailer().send({ ...mail, subject: text, to: { ...mail.to, name: text } });
  const received = smtp.mails.at(-1);
  expect(received?.to).toEqual(['ada@example.com']);
  expect(received?.countOf('bcc')).toBe(0);
  expect(received?.subject).toBe(text.replace(/[\r\n\u2028\0]+/, ' '));
});

test.each([
  'ada@example.com, eve@example.com',
  'ada@example.com>\r\nRCPT TO:<eve@example.com',
  '"eve@example.com x"@shop.example',
])('an address like %j reaches nobody else', async (address) => {
  const before = smtp.mailsTo('eve@example.com').length;
  await mailer()
    .send({ ...mail, to: { name: '', address } })
    .catch(() => undefined);
  expect(smtp.mailsTo('eve@example.com')).toHaveLength(before);
});

test('a final no to the recipient is an outcome', async () => {
  smtp.behave('refuse');
  expect(await mailer().send(mail)).toBe('refused');
});

test.each(['delay', 'drop', 'lose-reply'] as const)(
  '%s is worth another try',
  async (behaviour) => {
    smtp.behave(behaviour);
    await expect(mailer().send(mail)).rejects.toThrow();
  },
);

test('a server that never replies is left after a while, or when told to', async () => {
  smtp.behave('hang');
  await expect(mailer(100).send(mail)).rejects.toThrow();
  const leaving = new AbortController();
  const sending = mailer().send(mail, { signal: leaving.signal });
  leaving.abort(new Error('stopping'));
  await expect(sending).rejects.toThrow();
});

test('whether the server is there can be asked', async () => {
  await mailer().check();
  await expect(createMailer({ url: 'smtp://127.0.0.1:1', from }).check()).rejects.toThrow();
});
