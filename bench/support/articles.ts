import { createRandom } from '../../server/test/random.ts';
import { seed } from '../question.ts';

/*
 * A made-up knowledge base and questions about it. Words are as frequent as words are (Zipf), each
 * article keeps to a theme of its own rare words, and every run makes the same one.
 */

export type Library = {
  /** Articles of `chunksPerArticle` sections, each of which becomes one chunk. */
  articles: { title: string; body: string }[];
  questions: string[];
};

export const chunksPerArticle = 7;

const vocabularySize = 12_000;
const wordsPerChunk = 120;
const themeSize = 40;
/** How often a word of an article is one of its theme. */
const themeShare = 0.3;
/** The most frequent words of English, which no search looks for, stand in front. */
const stopWords = (
  'the of and to a in is it you that he was for on are with as i his they be at this from have or by ' +
  'had not but what all were when we there can an your which their if do will each about how up out ' +
  'them then she so these her him has more very after just where most know'
).split(' ');
const onsets = 'b br c ch cl d dr f fl g gr h j k l m n p pl qu r s st t tr v w'.split(' ');
const vowels = 'a e i o u ai ea ou'.split(' ');
const codas = ' l m n r s t ck nd rt sh'.split(' ');

export function makeLibrary(articleCount: number, questionCount: number): Library {
  const random = createRandom(seed);
  const pick = <Item>(items: readonly Item[]): Item => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('There is nothing to pick from.');
    return item;
  };
  const syllable = (): string => pick(onsets) + pick(vowels) + pick(codas);
  const words = new Set(stopWords);
  while (words.size < vocabularySize) {
    const syllables = 2 + Math.floor(random() * 2);
    words.add(Array.from({ length: syllables }, syllable).join(''));
  }
  const vocabulary = [...words];
  const common = zipf(vocabulary, random);
  const textOf = (theme: readonly string[], length: number): string =>
    Array.from({ length }, () => (random() < themeShare ? pick(theme) : common())).join(' ');

  const themes = Array.from({ length: articleCount }, () =>
    Array.from({ length: themeSize }, () => pick(vocabulary)),
  );
  const articles = themes.map((theme, at) => ({
    title: `${textOf(theme, 6)} ${at}`,
    body: Array.from(
      { length: chunksPerArticle },
      () => `## ${textOf(theme, 4)}\n\n${textOf(theme, wordsPerChunk)}.`,
    ).join('\n\n'),
  }));
  const questions = Array.from({ length: questionCount }, () =>
    textOf(pick(themes), 5 + Math.floor(random() * 10)),
  );
  return { articles, questions };
}

/** Draws words with a probability that falls with their rank. */
function zipf(vocabulary: readonly string[], random: () => number): () => string {
  let total = 0;
  const upTo = vocabulary.map((_, rank) => (total += 1 / (rank + 2.7)));
  return () => {
    const drawn = random() * total;
    let [low, high] = [0, upTo.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((upTo[middle] ?? 0) < drawn) low = middle + 1;
      else high = middle;
    }
    return vocabulary[low] ?? '';
  };
}
