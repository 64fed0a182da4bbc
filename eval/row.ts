/** One line of the evaluation: what was measured, how it compares, and what it should reach. */
export type Row = {
  measure: string;
  value: number;
  unit: 'ratio' | 'count' | 'ms';
  /** A plainer way to do the same, measured on the same data. */
  reference?: { name: string; value: number };
  /** The goal in words, such as `≥ .97`. */
  reach: string;
  reached: boolean;
  note?: string;
};

const shown = (value: number): string => String(value).replace(/^0(?=\.)/u, '');

export const atLeast = (
  value: number,
  least: number,
): Pick<Row, 'value' | 'reach' | 'reached'> => ({
  value,
  reach: `≥ ${shown(least)}`,
  reached: value >= least,
});

export const atMost = (value: number, most: number): Pick<Row, 'value' | 'reach' | 'reached'> => ({
  value,
  reach: `≤ ${shown(most)}`,
  reached: value <= most,
});

/** The part of `items` for which `holds` is true. */
export const ratioOf = <Item>(items: readonly Item[], holds: (item: Item) => boolean): number =>
  items.filter(holds).length / items.length;
