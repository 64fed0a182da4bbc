import type { Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';
import { wordsOf } from './question.ts';
import { findTerms, findVocabulary, type FoundTerms } from './search.repository.ts';
import type { Language } from '../settings/settings.defaults.ts';
import { createSpeller, type Speller } from './spelling.ts';

/** A question with its misspelt words replaced by those of the knowledge base. */
export type CorrectedTerms = { found: FoundTerms; corrected: ReadonlySet<string> };

/**
 * Corrects words that no article has. The words are read again when the knowledge has changed, in
 * the background: until then the last ones serve.
 */
export function createVocabulary({ db }: { db: Kysely<Tables> }) {
  let speller: Speller | undefined;
  let version: number | undefined;
  let loading: Promise<Speller> | undefined;

  function load(knowledgeVersion: number): Promise<Speller> {
    loading ??= findVocabulary(db)
      .then((words) => {
        version = knowledgeVersion;
        speller = createSpeller(words);
        return speller;
      })
      .finally(() => (loading = undefined));
    return loading;
  }

  async function spellerFor(knowledgeVersion: number): Promise<Speller> {
    if (!speller) return load(knowledgeVersion);
    // A failure is met again, and told, by the question after this one.
    if (version !== knowledgeVersion) void load(knowledgeVersion).catch(() => undefined);
    return speller;
  }

  return async function correct(found: FoundTerms, language: Language): Promise<CorrectedTerms> {
    const known = new Set(found.terms.filter(({ chunks }) => chunks > 0).map(({ at }) => at));
    const unknown = found.terms.filter(({ at }) => !known.has(at));
    if (unknown.length === 0 || found.chunks === 0) return { found, corrected: new Set() };
    const spell = await spellerFor(found.knowledgeVersion);
    const corrections = new Map<number, string>();
    for (const { at, word } of unknown) {
      const [single, ...others] = wordsOf(word);
      const correction = single && others.length === 0 ? spell(single) : undefined;
      if (correction) corrections.set(at, correction);
    }
    if (corrections.size === 0) return { found, corrected: new Set() };
    const places = [...corrections.keys()];
    const { terms } = await findTerms(db, [...corrections.values()], language);
    const replaced = terms.map((term) => ({ ...term, at: places[term.at - 1] ?? term.at }));
    const kept = found.terms.filter(({ at }) => !corrections.has(at));
    const written = new Set(kept.map(({ lexeme }) => lexeme));
    return {
      found: { ...found, terms: [...kept, ...replaced].sort((one, other) => one.at - other.at) },
      corrected: new Set(replaced.map(({ lexeme }) => lexeme).filter((one) => !written.has(one))),
    };
  };
}
