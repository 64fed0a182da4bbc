import type { Kysely } from 'kysely';
import type { Cache, Loaded } from '../../platform/cache/cache.ts';
import type { Tables } from '../../tables.ts';
import { isStaff } from '../auth/actor.ts';
import { gateFeaturesOf } from './gate-features.ts';
import { findGate, findVersions } from './gate.repository.ts';
import { probabilityOf } from './gate.ts';
import { gateDefaults } from './gate-weights.ts';
import type { Reader } from './knowledge.repository.ts';
import { packPassages } from './passages.ts';
import { questionOf, type Question } from './question.ts';
import { rank, type Ranked } from './ranking.ts';
import { defaultLanguage, type Language } from '../settings/settings.defaults.ts';
import { findCandidates, findTerms, type Passage } from './search.repository.ts';
import { createVocabulary } from './vocabulary.ts';

/** What speaks for the first passage. */
export type Evidence = {
  /** Estimate that the first passage has the answer; 0 when nothing was found. */
  probability: number;
  /** Whether the probability reaches the threshold that was asked for. */
  answerable: boolean;
  features: Record<string, number>;
  /** Counts what changed the published knowledge. */
  knowledgeVersion: number;
};

export type Retrieved = { passages: Passage[]; evidence: Evidence };

export type RetrievalRequest = {
  /** The forms of one question, such as the last message alone and with what it leans on. */
  texts: readonly string[];
  /** Passages at most. */
  limit: number;
  /** Tokens of all passages together, at four characters each. */
  tokenBudget: number;
  language?: Language;
  /** From which probability on there is an answer. At 0.5 one calibrated for few wrong answers. */
  threshold?: number;
};

/** Words of a question beyond this many characters add noise, not meaning. */
const textLengthMax = 2_000;
/** How many chunks BM25 hands to the ranking. */
const candidatesMax = 40;
const defaultThreshold = 0.5;

/** A question's candidates in their final order, with what the gate sees. */
type Search = { question: Question; ranked: Ranked[]; probability: number; features: object };

export type Retrieval = ReturnType<typeof createRetrieval>;

export function createRetrieval({ db, cache }: { db: Kysely<Tables>; cache: Cache }) {
  const correct = createVocabulary({ db });

  /** The passages to answer from, best first, and how far they can be trusted. */
  async function retrieve(reader: Reader, request: RetrievalRequest): Promise<Retrieved> {
    // What is found follows from the question, from what the reader may see, and from these.
    const versions = await findVersions(db);
    const readsAll = reader !== undefined && isStaff(reader);
    return cache.get([versions, readsAll, request], () => search(reader, request));
  }

  async function search(reader: Reader, request: RetrievalRequest): Promise<Loaded<Retrieved>> {
    const { texts, limit, tokenBudget, threshold = defaultThreshold } = request;
    const searches: Search[] = [];
    let knowledgeVersion = 0;
    let lasting = true;
    for (const text of new Set(texts)) {
      const found = await searchFor(reader, text, request.language ?? defaultLanguage);
      knowledgeVersion = found.knowledgeVersion;
      lasting &&= found.upToDate;
      searches.push(found.search);
    }
    const [best] = searches.toSorted((one, other) => other.probability - one.probability);
    const probability = best?.probability ?? 0;
    const value: Retrieved = {
      passages: packPassages(merge(searches, best), { limit, tokenBudget }),
      evidence: {
        probability,
        answerable: probability >= threshold,
        features: { ...best?.features },
        knowledgeVersion,
      },
    };
    return { value, lasting };
  }

  async function searchFor(
    reader: Reader,
    text: string,
    language: Language,
  ): Promise<{ search: Search; knowledgeVersion: number; upToDate: boolean }> {
    const words = text
      .slice(0, textLengthMax)
      .toWellFormed()
      .split(/[\s\0]+/)
      .filter(Boolean);
    const [asked, gate] = await Promise.all([findTerms(db, reader, words, language), findGate(db)]);
    const { knowledgeVersion } = asked;
    const { found, corrected, upToDate } = await correct(reader, asked, language);
    const question = questionOf(text, found, corrected);
    const candidates =
      question.terms.length === 0
        ? []
        : await findCandidates(db, reader, question.weights, { limit: candidatesMax, language });
    const ranked = rank(question, candidates);
    const features = gateFeaturesOf(question, ranked);
    const probability = probabilityOf(gate ?? gateDefaults, features);
    return {
      search: { question, ranked, probability, features: features ?? {} },
      knowledgeVersion,
      upToDate,
    };
  }

  return { retrieve };
}

/** The form with the best evidence leads; the others add what they found, by score. */
function merge(searches: readonly Search[], best: Search | undefined): Passage[] {
  const first = best?.ranked[0]?.candidate.chunk_id;
  const scored = new Map<string, Passage>();
  for (const { question, ranked } of searches) {
    const known = question.mass / Math.max(question.mass + question.unknownMass, Number.EPSILON);
    for (const { candidate, score } of ranked) {
      const worth = score * known;
      if ((scored.get(candidate.chunk_id)?.score ?? -Infinity) < worth) {
        scored.set(candidate.chunk_id, passageOf({ ...candidate, score: worth }));
      }
    }
  }
  return [...scored.values()].sort(
    (one, other) =>
      Number(other.chunk_id === first) - Number(one.chunk_id === first) || other.score - one.score,
  );
}

const passageOf = (passage: Passage): Passage => ({
  chunk_id: passage.chunk_id,
  article_id: passage.article_id,
  version: passage.version,
  title: passage.title,
  heading: passage.heading,
  content: passage.content,
  score: passage.score,
});
