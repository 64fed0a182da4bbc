/** One promise: what was seen of it. */
export type Figure = {
  what: string;
  measured: string;
  promise: string;
  holds: boolean;
  /**
   * Whether it is about time or memory, which a busy machine may miss: it is told, and the run goes
   * on. A broken promise of any other kind makes the run fail.
   */
  isOfSpeed?: boolean;
};

/** What a scenario has to work with. */
export type Faults = {
  /** Little of everything, for every change. */
  short: boolean;
  /** How many kills of an instance `concurrent-writes` makes; undefined is its own choice. */
  kills: number | undefined;
  random: () => number;
  /** The PostgreSQL server on which databases are made. */
  serverUrl: string;
  /** For logs and the like; kept when the run fails. */
  folder: string;
  /** What to close behind the scenario, the last first, however it ends. */
  defer(close: () => unknown): void;
  /** Adds to the kills of the run. */
  countKill(): void;
};

export type Scenario = {
  /** What `--only` takes. */
  name: string;
  about: string;
  /** What it promises is about times: nothing else may run beside it. */
  isAlone?: boolean;
  run(faults: Faults): Promise<Figure[]>;
};

export const pick = <Item>(random: () => number, items: readonly Item[]): Item => {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('There is nothing to pick from.');
  return item;
};
