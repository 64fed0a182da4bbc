import type { Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';
import { gateFeaturesOf } from './gate-features.ts';
import { curveOf, fitGate, type Outcome } from './gate-fit.ts';
import { findVersion, listArticleNames } from './gate.repository.ts';
import type { Calibration } from './gate.ts';
import { gateDefaults } from './gate-weights.ts';
import { questionOf } from './question.ts';
import { rank } from './ranking.ts';
import { rehearse, type Rehearsal } from './rehearsal.ts';
import { defaultLanguage, type Language } from '../settings/settings.defaults.ts';
import { findCandidates, findTerms, type Candidate, type FoundTerms } from './search.repository.ts';

/** Below this many articles the shipped weights are the better guess. */
export const calibrationArticlesMin = 50;
/** Enough for stable weights, in a few seconds. */
const articlesMax = 150;
/** Where articles are few, chance weighs more: they are rehearsed twice, in other words. */
const smallBaseRounds = 2;
const candidatesMax = 40;
/** How strongly weights keep to the shipped ones, in observations. */
const shrinkage = 100;

/**
 * Learns when to answer, without labels: titles and headings are asked as questions, disturbed and
 * with what would give them away hidden, once with their article and once without it. Deterministic.
 * Undefined when there are too few articles, or when `signal` ends it.
 */
export async function calibrate(
  db: Kysely<Tables>,
  { signal, language = defaultLanguage }: { signal?: AbortSignal; language?: Language } = {},
): Promise<Calibration | undefined> {
  const knowledgeVersion = await findVersion(db);
  const { articles, total } = await listArticleNames(db, articlesMax);
  if (total < calibrationArticlesMin) return undefined;
  const rehearsals = rehearse(articles, articles.length < articlesMax ? smallBaseRounds : 1);
  const outcomes: Outcome[] = [];
  for (const rehearsal of rehearsals) {
    if (signal?.aborted) return undefined;
    outcomes.push(...(await outcomesOf(db, rehearsal, language)));
  }
  const gate = fitGate(outcomes, gateDefaults, shrinkage);
  const curve = curveOf(gate, outcomes);
  return { ...gate, knowledgeVersion, samples: rehearsals.length, curve };
}

async function outcomesOf(
  db: Kysely<Tables>,
  rehearsal: Rehearsal,
  language: Language,
): Promise<Outcome[]> {
  const { text, articleId, disguises } = rehearsal;
  const found = await findTerms(db, undefined, text.split(/\s+/).filter(Boolean), language);
  const question = questionOf(text, found);
  if (question.terms.length === 0) return [];
  const limit = candidatesMax;
  const candidates = await findCandidates(db, undefined, question.weights, { limit, language });
  const outcome = (terms: FoundTerms, among: readonly Candidate[], present: boolean): Outcome => {
    const question = questionOf(text, terms);
    const ranked = rank(question, among);
    const right = present && ranked[0]?.candidate.article_id === articleId;
    return { features: gateFeaturesOf(question, ranked), right, present };
  };
  const others = candidates.filter((candidate) => candidate.article_id !== articleId);
  return [
    ...disguises.map((disguise) => outcome(found, candidates.map(disguise), true)),
    outcome(withoutArticle(found, candidates, articleId), others, false),
  ];
}

/** What the index would say if the article had never been written. */
function withoutArticle(
  found: FoundTerms,
  candidates: readonly Candidate[],
  articleId: string | undefined,
): FoundTerms {
  const gone = new Map<string, number>();
  for (const candidate of candidates.filter((one) => one.article_id === articleId)) {
    const { title_terms, heading_terms, content_terms } = candidate;
    const lexemes = [...title_terms, ...heading_terms, ...content_terms].map(([lexeme]) => lexeme);
    for (const lexeme of new Set(lexemes)) gone.set(lexeme, (gone.get(lexeme) ?? 0) + 1);
  }
  const terms = found.terms.map((term) => ({
    ...term,
    chunks: Math.max(0, term.chunks - (gone.get(term.lexeme) ?? 0)),
  }));
  return { ...found, terms };
}
