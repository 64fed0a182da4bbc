import { expect, test } from 'vitest';
import { describeError } from './describe-error.ts';

const mark = 'Zanzibar';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

const fails = (message: string, more: object = {}): Error =>
  Object.assign(new Error(message), more);

test.each([
  ['a parser that quotes', thrownBy(() => JSON.parse(`{"a": ${mark}}`))],
  ['a value that is no number', fails(`invalid input syntax: "${mark} "x" y"`, { code: '22P02' })],
  ['a mail server', fails(`550 <${mark}@example.com>: no such user`)],
  ['a bare address', fails(`cannot write to ${mark}@example.com`)],
  ['what is no error', `${mark}@example.com`],
  ['parameters and details', fails('duplicate key', { parameters: [mark], detail: `(${mark})` })],
  ['a cause', new Error('outer', { cause: fails(`"${mark}"`, { code: '22001' }) })],
])('of %s no value is kept', (_what, error) => {
  expect(JSON.stringify(error, Object.getOwnPropertyNames(error)) + String(error)).toContain(mark);
  expect(JSON.stringify(describeError(error))).not.toContain(mark);
});

test('what tells a developer where to look is kept', () => {
  const error = fails('relation "tickets" does not exist', { code: '42P01' });
  expect(describeError(error)).toMatchObject({
    name: 'Error',
    message: 'relation "tickets" does not exist',
    code: '42P01',
    stack: expect.stringMatching(/^ {4}at .*describe-error\.unit\.test\.ts/),
  });
});
