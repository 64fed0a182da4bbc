/** A question, as the stems of its words. */
export type Question = { id: string; lexemes: readonly string[] };

/** Two questions with this share of their words in common, by weight, ask the same. */
const similarityMin = 0.4;
/** A long story is compared by so many of its words. */
const lexemesMax = 32;

/**
 * Groups questions that ask the same: each joins the first group whose founder it resembles, so that
 * the result depends on the order alone, and the first of a group stands for it. A word weighs more
 * the rarer it is among the questions.
 */
export function clusterQuestions<Item extends Question>(questions: readonly Item[]): Item[][] {
  const frequency = new Map<string, number>();
  for (const { lexemes } of questions) {
    for (const lexeme of lexemes) frequency.set(lexeme, (frequency.get(lexeme) ?? 0) + 1);
  }
  const weight = (lexeme: string): number =>
    Math.log(1 + questions.length / (frequency.get(lexeme) ?? 1));
  const sum = (lexemes: readonly string[]): number =>
    lexemes.reduce((total, lexeme) => total + weight(lexeme), 0);
  const clusters: { founder: ReadonlySet<string>; size: number; items: Item[] }[] = [];
  for (const question of questions) {
    const lexemes = question.lexemes.slice(0, lexemesMax);
    const size = sum(lexemes);
    // Weighted Jaccard similarity. Questions without words resemble nothing.
    const own = clusters.find(({ founder, size: other }) => {
      const shared = sum(lexemes.filter((lexeme) => founder.has(lexeme)));
      return shared > 0 && shared / (size + other - shared) >= similarityMin;
    });
    if (own) own.items.push(question);
    else clusters.push({ founder: new Set(lexemes), size, items: [question] });
  }
  return clusters.map(({ items }) => items);
}
