import { wordsOf } from './answers.words.ts';

/** What is known about a question when it is searched for. Texts as their authors wrote them. */
export type SearchInput = {
  /** The ticket's subject. */
  title: string;
  /** The customer's messages that this answer replies to, oldest first. */
  question: readonly string[];
  /** The customer's first message, when it is not part of the question. */
  firstMessage: string | undefined;
};

const titleLengthMax = 200;
const questionLengthMax = 1_000;
const firstMessageLengthMax = 500;
/** Shorter questions are searched for together with the subject. */
const wordsMin = 8;
/** So few words that mean something say too little by themselves. */
const contentWordsMin = 3;

/**
 * One or two texts to search for, the most specific first: the question, and when it leans on what was
 * said before, the question with the customer's first message. The subject belongs to message 1, and
 * joins any other short question.
 */
export function searchTexts({ title, question, firstMessage }: SearchInput): string[] {
  const subject = title.slice(0, titleLengthMax);
  const text = newestOf(question);
  const isOpening = firstMessage === undefined || firstMessage === question[0];
  const needsSubject = isOpening || wordsOf(text).length < wordsMin;
  const specific = needsSubject ? join(subject, text) : text;
  if (isOpening || !leansOnContext(text)) return [specific];
  return [specific, join(subject, firstMessage.slice(0, firstMessageLengthMax), text)];
}

const join = (...texts: string[]): string =>
  texts
    .map((text) => text.trim())
    .filter((text) => text !== '')
    .join('\n')
    .toWellFormed();

/** All of it when that is short; else its end: the newest message comes last. */
const newestOf = (question: readonly string[]): string =>
  question.join('\n').trim().slice(-questionLengthMax).toWellFormed();

const setOf = (words: string): Set<string> => new Set(words.split(' '));

const stopWords = setOf(
  'a an the and or but so if then than as of in on at to for from by with about into over under up out off ' +
    'i im ive id me my mine we us our you your yours ur u he him his she her they them their theirs it its ' +
    'this that these those there here who whom whose which what whats when where why how hows is are was were be ' +
    'been being am do does did done doing can could will would shall should may might must have has had ' +
    'having not no nor dont doesnt didnt cant isnt arent wasnt wont yes please thanks thank hi hello hey ok ' +
    'okay also too very really just any some all both each more most much many other another such same only ' +
    'tell know want need like get got let say mean happen happens happened one ones thing things way again ' +
    'still now else instead',
);
/** They stand for something that was named before. */
const pronouns = setOf(
  'it its they them their theirs this that these those he him his she her hers ones such there',
);
/** They compare with something that was named before. */
const comparisons = setOf(
  'other others another else same instead similar both either neither too also',
);
const opening = /^\W*(?:and|or|but|also|so|then|what about|how about|what if|why not|same)\b/iu;
/** An "it" that stands for nothing: "is it possible to", "how long does it take to", "there is". */
const empty =
  /\b(?:is|was|be|would|does|did|will|can) it (?:possible|ok|okay|normal|safe|legal|true|worth|necessary|better|mean|take|cost|matter)(?: \w+){0,3} (?:to|for|that|if|when)\b|\bit (?:is|was|would be|seems|looks|says|takes|turns out)\b|\bthere (?:is|are|was|were|a|an|any)\b|\b(?:is|are|was|were) there\b|\bthat (?:i|you|we|the|my|is|are|was|were|can|will|do|does)\b/giu;

/** Whether a question cannot be understood without what was said before it. */
export function leansOnContext(text: string): boolean {
  if (opening.test(text)) return true;
  const words = wordsOf(text.replace(empty, ' '));
  const isContent = (word: string): boolean => !stopWords.has(word);
  if (words.filter(isContent).length < contentWordsMin) return true;
  const pointing = words.findIndex((word) => pronouns.has(word) || comparisons.has(word));
  // With enough named before it in the same text, a pronoun means that.
  return pointing >= 0 && words.slice(0, pointing).filter(isContent).length < contentWordsMin;
}
