import { BodyError } from './json-body.ts';

/** A time of the request. A leap second passes the format, but no Date can hold it. */
export function timeOf(pointer: string, value: string | undefined): Date | undefined {
  if (value === undefined) return undefined;
  const time = new Date(value);
  if (time.getTime() >= 0) return time;
  throw new BodyError('invalid', pointer, 'must be a time from 1970 on');
}
