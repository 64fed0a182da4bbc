import { createRandom } from '../server/test/random.ts';

/** Chance that is the same for the same seed. */
export type Dice = ReturnType<typeof createDice>;

export function createDice(seed: number) {
  const random = createRandom(seed);
  /** A whole number from 0 to `end`, without it. */
  const below = (end: number): number => Math.floor(random() * end);
  return {
    below,
    chance: (share: number): boolean => random() < share,
    /** One of a list that is not empty; the last ones are `recency` times as likely as chance. */
    pick<Item>(list: readonly Item[], recency = 1): Item {
      return list[list.length - 1 - Math.floor(random() ** recency * list.length)] as Item;
    },
  };
}
