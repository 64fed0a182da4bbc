import { ApiError, ConnectionError } from '../../../client/src/client.ts';
import { ConfigError } from '../config.ts';
import { AppError } from '../errors.ts';
import { DataDirInUseError } from '../platform/database/embedded.ts';
import { isUnavailable } from '../platform/database/transaction.ts';

/** A failure that a command expects: what happened, and what its reader can do about it. */
export class CommandError extends Error {
  /** Stable, for those who read `--json`. */
  readonly code: string;
  readonly hint: string | undefined;

  constructor(code: string, message: string, hint?: string) {
    super(message);
    this.name = 'CommandError';
    this.code = code;
    this.hint = hint;
  }
}

/** An expected failure in words for a person; undefined for a surprise, which is a bug. */
export function commandErrorOf(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  if (error instanceof ConfigError) return new CommandError('configuration', error.message);
  if (error instanceof DataDirInUseError) return new CommandError('data-in-use', error.message);
  if (error instanceof AppError) {
    return new CommandError(error.code, withFields(error.message, error.details.errors));
  }
  if (error instanceof ApiError) {
    return new CommandError(error.code, withFields(error.message, error.errors));
  }
  if (error instanceof ConnectionError) return new CommandError('no-reply', error.message);
  if (isDatabaseError(error)) {
    return new CommandError(
      'database',
      `The database cannot be used: ${reasonOf(error)}`,
      'Check DATABASE_URL, and that the server it names is running.',
    );
  }
  if (isFileError(error)) return new CommandError('files', error.message);
  return undefined;
}

/** What a failed connection or statement says; for `localhost` the reasons come as a bundle. */
export function reasonOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return reasonOf(error.errors[0]);
  return error instanceof Error ? error.message : String(error);
}

/** Away, or it lets us not in (`FATAL`) or not do it (42501): nothing that our SQL could mend. */
const isDatabaseError = (error: unknown): boolean =>
  isUnavailable(error) ||
  (error instanceof Error &&
    (('severity' in error && error.severity === 'FATAL') ||
      ('code' in error && error.code === '42501')));

const isFileError = (error: unknown): error is Error =>
  error instanceof Error && 'syscall' in error && 'path' in error;

/** Of several fields the first: with it mended, the next one shows. */
function withFields(
  message: string,
  [first]: readonly { pointer: string; message: string }[] = [],
): string {
  if (!first || first.message === message) return message;
  return `${first.pointer.replace(/^[/?]/, '')}: ${first.message}`;
}
