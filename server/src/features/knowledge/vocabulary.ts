import type { Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';
import type { Reader } from './knowledge.repository.ts';
import { wordsOf } from './question.ts';
import { findTerms, findVocabulary, type FoundTerms } from './search.repository.ts';
import type { Language } from '../settings/settings.defaults.ts';
import { createSpeller, type Speller } from './spelling.ts';

/** A question with its misspelt words replaced by those of the knowledge base. */
export type CorrectedTerms = {
  found: FoundTerms;
  corrected: ReadonlySet<string>;
  /** Whether the words were those of the knowledge as it is now. */
  upToDate: boolean;
};

/**
 * Corrects words that no article has, by those of the articles that everybody may read. These are
 * read again when the knowledge has changed, in the background: until then the last ones serve. Where
 * they cannot be read nothing is corrected.
 */
export function createVocabulary({ db }: { db: Kysely<Tables> }) {
  let speller: Speller | undefined;
  let version: number | undefined;
  let loading: Promise<void> | undefined;
  let hasFailed = false;

  /** Never rejects: the question after this one tries again. */
  function load(knowledgeVersion: number): Promise<void> {
    loading ??= findVocabulary(db)
      .then((words) => {
        speller = createSpeller(words);
        version = knowledgeVersion;
      })
      .catch(() => void (hasFailed = true))
      .finally(() => (loading = undefined));
    return loading;
  }

  /** Only the first question waits for the words, and only if reading them has never failed. */
  async function spellerFor(knowledgeVersion: number): Promise<Speller | undefined> {
    const loaded = version === knowledgeVersion ? undefined : load(knowledgeVersion);
    if (!speller && !hasFailed) await loaded;
    return speller;
  }

  return async function correct(
    reader: Reader,
    found: FoundTerms,
    language: Language,
  ): Promise<CorrectedTerms> {
    const known = new Set(found.terms.filter(({ chunks }) => chunks > 0).map(({ at }) => at));
    const unknown = found.terms.filter(({ at }) => !known.has(at));
    if (unknown.length === 0 || found.chunks === 0)
      return { found, corrected: new Set(), upToDate: true };
    const spell = await spellerFor(found.knowledgeVersion);
    const corrections = new Map<number, string>();
    for (const { at, word } of unknown) {
      const [single, ...others] = wordsOf(word);
      const correction = single && others.length === 0 ? spell?.(single) : undefined;
      if (correction) corrections.set(at, correction);
    }
    const upToDate = version === found.knowledgeVersion;
    if (corrections.size === 0) return { found, corrected: new Set(), upToDate };
    const places = [...corrections.keys()];
    const { terms } = await findTerms(db, reader, [...corrections.values()], language);
    const replaced = terms.map((term) => ({ ...term, at: places[term.at - 1] ?? term.at }));
    const kept = found.terms.filter(({ at }) => !corrections.has(at));
    const written = new Set(kept.map(({ lexeme }) => lexeme));
    return {
      found: { ...found, terms: [...kept, ...replaced].sort((one, other) => one.at - other.at) },
      corrected: new Set(replaced.map(({ lexeme }) => lexeme).filter((one) => !written.has(one))),
      upToDate,
    };
  };
}
