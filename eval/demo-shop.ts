import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { readMarkdown } from '../server/src/features/knowledge/front-matter.ts';
import type { Document, KnowledgeBase } from './knowledge-base.ts';
import { readLines } from './read-lines.ts';
import { atLeast, ratioOf, type Row } from './row.ts';

/** What a customer of the sample shop says. `before` is what they said first. */
type ShopQuestion = {
  text: string;
  before?: string;
  /** File of the article that answers it. */
  article: string | null;
  kind: 'answerable' | 'missing' | 'off-topic' | 'person' | 'clarification';
};

/** Shares of the demo shop's questions; the committed baseline has the same shape. */
export type ShopScores = Record<
  'first' | 'firstFive' | 'answered' | 'rightAmongAnswered' | 'silentOnMissing' | 'silentOffTopic',
  number
>;

const demoDir = fileURLToPath(new URL('../server/demo/', import.meta.url));
const threshold = 0.5;

export async function readShop(): Promise<Document[]> {
  const folder = `${demoDir}articles/`;
  const files = (await readdir(folder)).filter((name) => name.endsWith('.md')).sort();
  const documents: Document[] = [];
  for (const file of files) {
    const { fields, body } = readMarkdown(await readFile(folder + file, 'utf8'));
    const { title, audience } = fields as Pick<Document, 'title' | 'audience'>;
    documents.push({ id: file.replace(/\.md$/, ''), title, audience, body });
  }
  return documents;
}

/** How the shop's own questions fare. Questions for a person are for the rules before the search. */
export async function scoreShop(base: KnowledgeBase): Promise<ShopScores> {
  const questions = await readLines<ShopQuestion>(demoDir, 'questions.jsonl');
  const asked: { kind: ShopQuestion['kind']; rank: number; answers: boolean }[] = [];
  for (const { text, before, article, kind } of questions) {
    const texts = before === undefined ? [text] : [text, `${before} ${text}`];
    const request = { texts, limit: 60, tokenBudget: Infinity, threshold };
    const { passages, evidence } = await base.retrieve(undefined, request);
    const documents = [...new Set(passages.map(({ article_id }) => base.documentOf(article_id)))];
    const at = article === null ? -1 : documents.indexOf(article);
    asked.push({ kind, rank: at < 0 ? Infinity : at, answers: evidence.answerable });
  }
  const of = (kind: ShopQuestion['kind']) => asked.filter((one) => one.kind === kind);
  const answered = of('answerable').filter((one) => one.answers);
  return {
    first: ratioOf(of('answerable'), ({ rank }) => rank === 0),
    firstFive: ratioOf(of('answerable'), ({ rank }) => rank < 5),
    answered: answered.length / of('answerable').length,
    rightAmongAnswered: ratioOf(answered, ({ rank }) => rank === 0),
    silentOnMissing: ratioOf(of('missing'), ({ answers }) => !answers),
    silentOffTopic: ratioOf(of('off-topic'), ({ answers }) => !answers),
  };
}

/** A drop of more than this below the baseline is a failure. */
const dropMax = 0.01;

export async function readBaseline(): Promise<ShopScores> {
  const path = new URL('demo-shop.baseline.json', import.meta.url);
  return JSON.parse(await readFile(path, 'utf8')) as ShopScores;
}

export async function measureShop(base: KnowledgeBase): Promise<Row[]> {
  await base.publish(await readShop());
  const [scores, baseline] = [await scoreShop(base), await readBaseline()];
  return Object.entries(scores).map(([name, value]): Row => {
    const least = baseline[name as keyof ShopScores] - dropMax;
    return {
      measure: `demo shop: ${name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)}`,
      unit: 'ratio',
      ...atLeast(value, Number(least.toFixed(3))),
    };
  });
}
