/**
 * What is logged of an error: its kind, its place, and its words as far as they are about the program.
 * Errors carry the values that they are about: a failed statement has its parameters, a parser quotes
 * what it could not read, a mail server names the recipient. Those stay out.
 */
export function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { message: withoutAddresses(String(error)) };
  const { name, stack = '', cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    name,
    message: withoutAddresses(quotesValues(error, code) ? unquoted(error.message) : error.message),
    code,
    // Its first lines repeat the message.
    stack: stack
      .split('\n')
      .filter((line) => line.startsWith('    at '))
      .join('\n'),
    ...(cause !== undefined && { cause: describeError(cause) }),
  };
}

/** PostgreSQL's "data exceptions" quote the value in their message; elsewhere it quotes names. */
const dataException = /^22[0-9A-Z]{3}$/;

const quotesValues = (error: Error, code: unknown): boolean =>
  error instanceof SyntaxError || (typeof code === 'string' && dataException.test(code));

/** From the first quotation mark to the last: a value may have some of its own. */
const unquoted = (message: string): string => message.replace(/["'].*["']/s, '…');

const withoutAddresses = (message: string): string =>
  message.replace(/[^\s<>"'(),:;]+@[^\s<>"'(),:;]+/g, '…@…');
