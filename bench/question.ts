import type { Databases } from './support/databases.ts';
import type { Processes, Profile } from './support/processes.ts';

/** What a question has to work with. All that is opened here ends with the run, also on Ctrl+C. */
export type Bench = {
  processes: Processes;
  databases: Databases;
  /** Fewer and shorter rounds: to see that it works, not to believe the numbers. */
  quick: boolean;
  /** A CPU profile of that name for the next server, when profiles are wanted. */
  profileOf(name: string): Profile | undefined;
  /** One line about what is going on, for who waits. */
  tell(line: string): void;
};

/** One line of the table, and all that was measured for it. */
export type Finding = {
  question: string;
  /** The server's number and the floor's or peer's, as they are shown. */
  server: string;
  floor: string;
  ratio: number | undefined;
  reach: string;
  reached: boolean;
  details: Record<string, unknown>;
};

export type Question = {
  /** What `--only` takes; each gives one or more lines. */
  names: readonly string[];
  ask(bench: Bench, wanted: ReadonlySet<string>): Promise<Finding[]>;
};

/** Of everything that is random: data sets, and which object a request names. */
export const seed = 20_261;
