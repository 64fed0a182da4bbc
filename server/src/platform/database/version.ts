/** The versions that a change may be based on; undefined: any will do. */
export type IfMatch = readonly number[] | undefined;

/** The object is no longer what the change was based on. */
export class VersionMismatchError extends Error {
  /** What it is now. */
  readonly version: number;

  constructor(version: number) {
    super('It has changed since you read it.');
    this.name = 'VersionMismatchError';
    this.version = version;
  }
}

/** Throws `VersionMismatchError` unless the row, which the caller has locked, is one of those versions. */
export function requireVersion({ version }: { version: number }, ifMatch: IfMatch): void {
  if (ifMatch && !ifMatch.includes(version)) throw new VersionMismatchError(version);
}
