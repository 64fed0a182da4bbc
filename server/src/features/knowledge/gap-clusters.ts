/** A question, as the stems of its words. */
export type Question = { id: string; lexemes: readonly string[] };

/** Two questions with this share of their words in common, by weight, ask the same. */
const similarityMin = 0.4;

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
  const clusters: { founder: Set<string>; items: Item[] }[] = [];
  for (const question of questions) {
    const own = clusters.find(({ founder }) => similar(founder, question.lexemes, weight));
    if (own) own.items.push(question);
    else clusters.push({ founder: new Set(question.lexemes), items: [question] });
  }
  return clusters.map(({ items }) => items);
}

/** Weighted Jaccard similarity. Questions without words resemble nothing. */
function similar(
  founder: ReadonlySet<string>,
  lexemes: readonly string[],
  weight: (lexeme: string) => number,
): boolean {
  const shared = lexemes.filter((lexeme) => founder.has(lexeme));
  const all = new Set([...founder, ...lexemes]);
  const sum = (words: Iterable<string>) =>
    [...words].reduce((total, word) => total + weight(word), 0);
  return shared.length > 0 && sum(shared) / sum(all) >= similarityMin;
}
