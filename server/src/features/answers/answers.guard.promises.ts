import { folded, withoutEmphasis } from './answers.guard.characters.ts';
import { contentWordsOf, wordsOf } from './answers.words.ts';

const adverbs = String.raw`(?:\s+(?:also|now|just|then|already|of course|certainly|always|still|soon|even|hereby|\p{L}+ly))*`;
const team =
  '(?:team|staff|colleagues?|agents?|specialists?|managers?|supervisors?|representatives?|' +
  'advis[eo]rs?|technicians?|department|person|someone|somebody)';
const person = String.raw`(?:(?:my|our|the|an?|one of (?:my|our))\s+(?:\p{L}+\s+){0,2}${team}|someone|somebody)`;
const subject = String.raw`(?<![\p{L}\p{N}'])(?:i|we|${person})`;
const future = String.raw`(?:'ll|'m going to|'re going to|${adverbs}\s+(?:will|shall|(?:am|are|is)(?:${adverbs})\s+going\s+to))`;
const perfect = String.raw`(?:'ve|${adverbs}\s+(?:have|has))`;
const present = String.raw`(?:'m|'re|${adverbs}\s+(?:am|are|is))`;

const actions = (
  'refund reimburs compensat credit pay send shipp? dispatch deliver call phone ring contact email ' +
  'mail text write reply respond answer escalat forward pass transfer assign cancell? process issu ' +
  'replac exchang chang updat arrang organi[sz] schedul book waiv extend grant giv offer provid ' +
  'approv authori[sz] investigat check fix resolv repair ensur handl open creat fil submitt? ' +
  'register notif(?:y|i) inform reset delet remov block unlock add appl(?:y|i) upgrad match honou?r ' +
  'reserv expedit prioriti[sz] trac track review return follow look reach get make take let'
).replaceAll(' ', '|');
const action = String.raw`(?:be\s+|been\s+)?(?:${actions})(?:e|es|ed|ing|s)?(?!\p{L})`;
const done =
  '(?:refunded|reimbursed|credited|paid|sent|shipped|dispatched|called|contacted|emailed|escalated|' +
  'forwarded|passed|transferred|assigned|cancell?ed|processed|issued|replaced|exchanged|changed|' +
  'updated|arranged|organi[sz]ed|scheduled|booked|waived|extended|granted|given|offered|approved|' +
  'authori[sz]ed|investigated|checked|fixed|resolved|opened|created|filed|submitted|registered|' +
  'notified|informed|asked|told|reset|deleted|removed|blocked|unlocked|added|applied|upgraded|' +
  String.raw`reserved|expedited|prioriti[sz]ed|requested|started|initiated|made|taken|flagged|reported)(?!\p{L})`;
const process =
  'refund|order|return|request|case|ticket|complaint|claim|payment|money|replacement|account|' +
  'subscription|parcel|issue|booking|exchange|cancellation';
/** `Once we have received it` explains; it claims nothing. */
const unconditional = String.raw`(?<!(?<!\p{L})(?:if|once|when|until|after|before|unless|whether|as soon as|because|where)\s+(?:[\p{L}']+\s+){0,3})`;

/** What the assistant must not say: it has no hands. Each begins where the clause begins. */
const promises = [
  `${subject}${future}${adverbs}\\s+${action}`,
  `${unconditional}${subject}${perfect}${adverbs}\\s+(?:been\\s+)?${done}`,
  `${subject}${present}${adverbs}\\s+(?:${actions})ing(?!\\p{L})`,
  `${subject}${adverbs}\\s+(?:promise|guarantee|assure|swear|pledge|vouch)(?!\\p{L})`,
  `(?:i give you my|you have my|you have our)\\s+(?:word|promise|guarantee)`,
  `(?<![\\p{L}'])(?:i\\s+(?:can|could)|let me)${adverbs}\\s+(?:refund|reimburs|compensat|credit|escalat|cancell?|process|issu|replac|arrang|waiv|forward|transfer|call)(?:e|ing)?(?!\\p{L})`,
  `${unconditional}(?:your|the|this|that)\\s+(?:\\p{L}+\\s+)?(?:${process})\\s+(?:has|have)${adverbs}\\s+been${adverbs}\\s+${done}`,
  String.raw`(?<!\p{L})(?:ich werde|wir werden|werde ich|werden wir)(?!\p{L})[^.!?]*(?:erstatten|zurückzahlen|anrufen|kontaktieren|senden|schicken|stornieren|weiterleiten|eskalieren|veranlassen|gutschreiben|ersetzen|kümmern|melden|prüfen)(?!\p{L})`,
  String.raw`(?<!\p{L})(?:ich habe|wir haben|habe ich|haben wir)(?!\p{L})[^.!?]*(?:erstattet|zurückgezahlt|storniert|weitergeleitet|veranlasst|eskaliert|gutgeschrieben|geschickt|gesendet|beantragt|gebucht)(?!\p{L})`,
  String.raw`(?<!\p{L})(?:ich|wir)\s+(?:garantieren?|verspreche[n]?|versichern?)(?!\p{L})`,
].map((pattern) => new RegExp(pattern, 'giu'));

/** The last words may begin a promise: the next one tells. */
const opening = new RegExp(
  `(?:${subject}|(?<!\\p{L})(?:let|you have|has|have|ich|wir|werden?|haben?))${adverbs}\\s*$`,
  'iu',
);
/** A promise has begun, or what explains the company's rules: the whole sentence tells. */
const begun = new RegExp(
  `${subject}(?:${future}|${perfect}|${present}|${adverbs}\\s+(?:promise|guarantee|assure|swear|pledge|vouch|give|can|could))(?!\\p{L})` +
    `|(?<!\\p{L})(?:let me|you have (?:my|our)|(?:has|have)${adverbs}\\s+been|(?:ich|wir) (?:werden?|haben?|\\p{L}*garantier\\p{L}*|versprech\\p{L}*|versicher\\p{L}*)|(?:werden?|haben?) (?:ich|wir))(?!\\p{L})`,
  'giu',
);

const plain = (text: string): string => withoutEmphasis(folded(text)).replace(/[‘’ʼ]/g, "'");

export const mayBeginPromise = (text: string): boolean => opening.test(plain(text));

/** Whether a sentence behind `before` may turn out to be a promise. */
export const hasBegunPromise = (text: string, before: string): boolean =>
  firstBehind(begun, text, before) !== undefined;

/** Whether a text has words that any promise has. */
export const mayPromise = (text: string): boolean => plain(text).search(begun) >= 0;

/**
 * The promise of an action that a text makes behind `before`. What a passage says in the same words
 * is the company's rule, not a promise; what "I" will do is never a rule.
 */
export function promiseIn(
  text: string,
  before: string,
  passages: readonly string[],
): string | undefined {
  for (const pattern of promises) {
    const clause = firstBehind(pattern, text, before);
    if (clause === undefined) continue;
    if (/^(?:i|ich|let)(?!\p{L})/iu.test(clause) || !isRule(clause, passages)) return clause;
  }
  return undefined;
}

/** From the first match that reaches into the text to the end of the text. */
function firstBehind(pattern: RegExp, text: string, before: string): string | undefined {
  const start = plain(before).length;
  const all = plain(before + text);
  for (const match of all.matchAll(pattern)) {
    if (match.index + match[0].length > start) return all.slice(match.index);
  }
  return undefined;
}

/** Fewer common words than these any paragraph may have by chance. */
const ruleWordsMin = 4;

const isRule = (clause: string, passages: readonly string[]): boolean =>
  passages
    .flatMap((passage) => passage.split('\n'))
    .some((paragraph) => {
      const content = new Set(contentWordsOf(paragraph));
      const words = new Set(wordsOf(paragraph));
      return (
        contentWordsOf(clause).every((word) => content.has(word)) &&
        wordsOf(clause).filter((word) => words.has(word)).length >= ruleWordsMin
      );
    });
