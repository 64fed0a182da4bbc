import { evidenceOf, factsIn, isStated } from './answers.facts.ts';
import { numberWord } from './answers.facts.forms.ts';
import { citationsChecked, withoutCitations } from './answers.guard.citations.ts';
import { createLinkRule } from './answers.guard.links.ts';
import { definitionIn, htmlIn, imageIn } from './answers.guard.markup.ts';
import {
  hasBegunPromise,
  mayBeginPromise,
  mayPromise,
  promiseIn,
} from './answers.guard.promises.ts';
import { createPromptRule, mayBecomeVerdict, promptMarkIn } from './answers.guard.prompt.ts';

export type GuardRule =
  'citation' | 'html' | 'image' | 'length' | 'link' | 'number' | 'promise' | 'prompt';

/** What an answer must not contain. `detail` is for staff: it quotes what was not shown. */
export type GuardViolation = { rule: GuardRule; detail: string };

export type GuardedPassage = { title: string; heading: string; content: string };

/** All that a passage states. */
export const textOf = ({ title, heading, content }: GuardedPassage): string =>
  [title, heading, content].join('\n');

/** Where a text stands in its answer. */
export type Place = {
  /** The last of what was shown before. */
  context: string;
  /** Its sentence is complete: no citation can follow. */
  isSentenceEnd: boolean;
  isListLine: boolean;
  /** Numbers of the passages that its sentence cites, and that the answer cited before. */
  citedHere: ReadonlySet<number>;
  citedBefore: ReadonlySet<number>;
  lengthLeft: number;
};

type Check = readonly [GuardRule, () => string | undefined];

/** Words without a mark inside: neither markup nor a link. Most of an answer, so it is looked at first. */
const isPlain = /^(?:\s+["'“‘(*]*[\p{L}\p{M}'’-]+[.,;:!?)"'”’*…]*)*$/u;
const detailLengthMax = 120;
const openNumberWord = new RegExp(
  String.raw`(?<!\p{L})${numberWord}(?:[\s-](?:and|working|business|calendar|opening|full|more))?$`,
  'iu',
);
const addresses = /\]\([^)]*\)|[a-z][a-z0-9+.-]*:\/\/\S+|\S+@\S+|\S*[\p{L}-]\.\p{L}{2,}\/\S*/giu;

/** Customers may be told their own addresses; links that they wrote are repeated to nobody. */
const addressesIn = (text: string): string[] =>
  text.match(/(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}/g) ?? [];

/** The rules of the guard for one answer. `judge` takes each released text once, in order. */
export function createGuardRules(options: {
  passages: readonly GuardedPassage[];
  customerText: string;
  allowedUrls: readonly string[];
  instructions: string;
  canary: string;
}) {
  const texts = options.passages.map(textOf);
  const links = createLinkRule(
    [...texts, ...addressesIn(options.customerText)],
    options.allowedUrls,
  );
  const prompt = createPromptRule(options.instructions, options.canary);
  const evidence = texts.map((text) => evidenceOf([text]));
  const customerEvidence = evidenceOf([options.customerText]);

  const unstated = (text: string, place: Place): string | undefined => {
    const given = supporting(place).map((n) => evidence[n - 1] ?? customerEvidence);
    const facts = factsIn(withoutCitations(text).replace(addresses, ' '), lastWords(place.context));
    return facts.find((fact) => ![customerEvidence, ...given].some((all) => isStated(fact, all)))
      ?.text;
  };

  /**
   * The passages that may support a text. Without a citation of its own a sentence goes on with those
   * that were cited before. The items of a list are often cited once, at its end, and so is a sentence
   * that had to be cut: there any passage may be the one.
   */
  function supporting({ isSentenceEnd, isListLine, citedHere, citedBefore }: Place): number[] {
    if (isSentenceEnd && citedHere.size > 0) return [...citedHere];
    if (isSentenceEnd && !isListLine && citedBefore.size > 0) return [...citedBefore];
    return texts.map((_, at) => at + 1);
  }

  const promised = (text: string, { citedHere, context }: Place): string | undefined => {
    if (!mayPromise(withoutCitations(context + text))) return undefined;
    const cited = [...citedHere].map((n) => texts[n - 1] ?? '');
    return promiseIn(withoutCitations(text), context, cited.length > 0 ? cited : texts);
  };

  return {
    linkLengthMax: links.lengthMax,

    /** The last words may begin what must not be shown: the next word tells. */
    mayTurnBad: (text: string, context: string): boolean =>
      mayBeginPromise(withoutCitations(context.slice(-60) + text)) ||
      mayBecomeVerdict(fromLine(text, context)) ||
      openNumberWord.test(text),

    /** What the text says can only be judged with the rest of its sentence. */
    needsSentence: (text: string, context: string): boolean =>
      factsIn(withoutCitations(text), lastWords(context)).length > 0 ||
      hasBegunPromise(withoutCitations(text), context.slice(-60)),

    judge(text: string, place: Place): GuardViolation | undefined {
      const line = fromLine(text, place.context);
      const run = runBefore(text, place.context) + text;
      const markup: Check[] = [
        ['citation', () => (citationsChecked(run, texts.length) === run ? undefined : run)],
        ['image', () => imageIn(run)],
        ['html', () => htmlIn(run)],
        ['link', () => definitionIn(line) ?? links.find(run)],
      ];
      const checks: Check[] = [
        ['prompt', () => promptMarkIn(line) ?? prompt.push(withoutCitations(text))],
        ...(isPlain.test(run) ? [] : markup),
        ['promise', () => promised(text, place)],
        ['number', () => unstated(text, place)],
        ['length', () => (text.length > place.lengthLeft ? `${text.length}` : undefined)],
      ];
      for (const [rule, find] of checks) {
        const detail = find();
        if (detail === undefined) continue;
        return { rule, detail: detail.trim().slice(0, detailLengthMax).toWellFormed() };
      }
      return undefined;
    },
  };
}

/** The text, marked when it does not begin a line. */
const fromLine = (text: string, context: string): string => (context === '' ? text : `.${text}`);

/** What a number may belong to: `Step 1`, `€ 49`. */
const lastWords = (context: string): string => /\S*\s*\S*$/.exec(context)?.[0] ?? '';

/** What was shown right before a text, without a space between, or with one inside a link. */
const runBefore = (text: string, context: string): string =>
  /^\S/.test(text) || /[:/\\：／＼]$/.test(context) ? (/\S*$/.exec(context)?.[0] ?? '') : '';
