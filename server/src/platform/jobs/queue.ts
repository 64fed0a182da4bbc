/** Carries the type of a queue's data; nothing is ever stored under it. */
declare const dataType: unique symbol;

/**
 * A queue of background work. What it says about retries holds for every job in it.
 * Data is ids, not content: it is stored as JSON for days.
 */
export type Queue<Data extends object = object> = {
  readonly name: string;
  /** Further tries after a failure, at growing distances, before the job goes to the dead letters. */
  readonly retries: number;
  /** First distance between tries, in seconds; it doubles up to `retryDelayMaxSeconds`. */
  readonly retryDelaySeconds?: number;
  readonly retryDelayMaxSeconds?: number;
  /** Longest run of one job, in seconds. */
  readonly timeoutSeconds: number;
  /** With it, of the jobs with one key at most one waits and one runs: more are dropped. */
  readonly coalesces?: boolean;
  /** How many of its jobs one process works on at once; 1 unless told. */
  readonly concurrency?: number;
  readonly [dataType]?: Data;
};

/** Where a job goes that has failed for the last time. An operator looks at it; nobody works on it. */
export const deadLetters = 'dead-letters';
