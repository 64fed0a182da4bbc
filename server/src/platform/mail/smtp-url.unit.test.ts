import { expect, test } from 'vitest';
import { smtpOptionsOf } from './smtp-url.ts';

test.each([
  ['smtp://mail.example', { host: 'mail.example', port: 587, secure: false, requireTLS: false }],
  ['smtps://mail.example', { host: 'mail.example', port: 465, secure: true, requireTLS: false }],
  ['smtp://[::1]:2525', { host: '::1', port: 2525, secure: false, requireTLS: false }],
  [
    'smtp://me%40shop.example:p%3Aw%2F@mail.example:25',
    {
      host: 'mail.example',
      port: 25,
      requireTLS: true,
      auth: { user: 'me@shop.example', pass: 'p:w/' },
    },
  ],
  ['smtp://me:secret@localhost', { requireTLS: false }],
])('%s', (url, options) => {
  expect(smtpOptionsOf(url)).toMatchObject(options);
});
