/*
 * How promises and claims of an action are worded. Each form begins where its clause begins. The guard
 * must not show the first words of one: `opening` and `begun` hold them back.
 */

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
  'reserved|expedited|prioriti[sz]ed|requested|started|initiated|made|taken|flagged|reported|' +
  String.raw`confirmed|accepted|raised|logged|completed)(?!\p{L})`;
const process =
  'refund|order|return|request|case|ticket|complaint|claim|payment|money|replacement|account|' +
  'subscription|parcel|issue|booking|exchange|cancellation|purchase|shipment|fee|charge|credit|' +
  'voucher|reservation';
/** `Once we have received it` explains; it claims nothing. */
const unconditional = String.raw`(?<!(?<!\p{L})(?:if|once|when|until|after|before|unless|whether|as soon as|because|where|why|how|while|check that|confirming)\s+(?:[\p{L}']+\s+){0,3})`;

/** `The email we sent you` names a thing; `in the meantime we sent you` claims. */
const notRelative = String.raw`(?<!(?<!\p{L})(?:what|which|(?:the|an?|any|every|each|all|your|our)\s+(?:(?!(?:meantime|time|day|moment|morning|case|way|end)\s)\p{L}+\s+){1,2}(?:that\s+|which\s+)?))`;
const we = String.raw`(?<![\p{L}\p{N}'])(?:we|(?:my|our|one of (?:my|our))\s+(?:\p{L}+\s+){0,2}${team})`;
const i = String.raw`(?<![\p{L}\p{N}'])i`;

/** What an action is done to when it is done for the customer. */
const theirs =
  String.raw`(?:\s+(?:on|out|back|up|off|over))?\s+(?:(?:you|your|${person})(?!\p{L})|(?:it|this|that|these|those|them)` +
  String.raw`(?=\s*(?:[.!?,;]|$|(?:for|to|on|back|up|already|now|today|and)(?!\p{L})))` +
  String.raw`|(?:the|this|that|an?)\s+(?:\p{L}+\s+){0,2}(?:${process}|price|amount|difference|cost|sum|items?)s?(?!\p{L}))`;
const past = String.raw`(?:${done}|(?:gave|took\s+care\s+of)(?!\p{L}))`;
/** These need no object: who says `I refunded` claims it. */
const strong = String.raw`(?:refunded|reimbursed|credited|cancell?ed|escalated|forwarded|reserved|waived|expedited|issued|processed|arranged|contacted|emailed)(?!\p{L})`;
const achieved = String.raw`(?:(?:went|gone)\s+ahead|(?:managed|(?:was|were|been)\s+able)\s+to\s+${action}|did\s+${action})(?!\p{L})`;
const pays = String.raw`(?:refund|reimburse|compensate|credit|waive)s?(?!\p{L})`;
const ofTheirs = String.raw`(?:your|the|this|that)\s+(?:(?!(?:your|our|the)\s)\p{L}+\s+)?(?:${process})s?`;
const happened = String.raw`(?:(?:'s|\s+(?:has|have))${adverbs}\s+been|\s+(?:was|were)|\s+(?:is|are)${adverbs}\s+being)`;
/** `Your order is sent` tells what usually happens, but `your refund is approved` what was decided. */
const decided = String.raw`(?:refunded|reimbursed|credited|cancell?ed|approved|authori[sz]ed|granted|accepted|confirmed|escalated|resolved|fixed|waived|extended|upgraded|unlocked|expedited|prioriti[sz]ed)(?!\p{L})`;
const willYou = String.raw`(?<![\p{L}'])you(?:'ll|'re\s+going\s+to|${adverbs}\s+(?:will|shall|are\s+going\s+to))`;
const money =
  '(?:refunds?|credits?|reimbursements?|compensation|replacements?|vouchers?|repayments?|discounts?|' +
  String.raw`money|cashback|gift\s+cards?)(?!\p{L})`;
const gets = String.raw`(?:(?:get|receive|have|be\s+(?:given|offered|sent|issued|paid))${adverbs}(?:\s+back)?(?:\s+(?:\p{L}+|\d+\s?%)){0,3}?\s+${money}|be${adverbs}\s+(?:refunded|reimbursed|compensated|credited)(?!\p{L}))`;
const getsAll = String.raw`(?<![\p{L}'])you${adverbs}\s+(?:get|receive|(?:are|'re)\s+entitled\s+to)\s+(?:an?|the|your)\s+(?:full|complete|total)(?!\p{L})`;

/** `explains`: with a condition or a time it may tell how something works that a passage mentions. */
export type PromiseForm = { pattern: RegExp; explains: boolean };

const form = (pattern: string, explains = false): PromiseForm => ({
  pattern: new RegExp(pattern, 'giu'),
  explains,
});

/** What the assistant must not say: it has no hands. */
export const promiseForms: readonly PromiseForm[] = [
  form(`${subject}${future}${adverbs}\\s+${action}`),
  form(`${unconditional}${subject}${perfect}${adverbs}\\s+(?:been\\s+)?${done}`),
  form(`${subject}${present}${adverbs}\\s+(?:${actions})ing(?!\\p{L})`),
  form(`${subject}${adverbs}\\s+(?:promise|guarantee|assure|swear|pledge|vouch)(?!\\p{L})`),
  form(`(?:i give you my|you have my|you have our)\\s+(?:word|promise|guarantee)`),
  form(
    `(?<![\\p{L}'])(?:i\\s+(?:can|could)|let me)${adverbs}\\s+(?:refund|reimburs|compensat|credit|escalat|cancell?|process|issu|replac|arrang|waiv|forward|transfer|call)(?:e|ing)?(?!\\p{L})`,
  ),
  form(`${unconditional}${ofTheirs}${happened}${adverbs}\\s+${done}`),
  form(
    `${unconditional}your\\s+(?:\\p{L}+\\s+)?(?:${process})s?\\s+(?:is|are|will\\s+be)${adverbs}\\s+${decided}`,
    true,
  ),
  form(`${unconditional}${i}${adverbs}\\s+(?:${strong}|${past}${theirs})`),
  form(`${unconditional}${notRelative}${we}${adverbs}\\s+${past}${theirs}`),
  form(
    `${unconditional}(?:${i}|${we})(?:'ve|${adverbs}\\s+(?:have|has))?${adverbs}\\s+${achieved}`,
  ),
  form(`${unconditional}(?:${i}|${notRelative}${we})${adverbs}\\s+${pays}`),
  form(`${willYou}${adverbs}\\s+${gets}`, true),
  form(`${getsAll}\\s+${money}`, true),
  form(
    String.raw`(?<!\p{L})(?:ich werde|wir werden|werde ich|werden wir)(?!\p{L})[^.!?]*(?:erstatten|zurückzahlen|anrufen|kontaktieren|senden|schicken|stornieren|weiterleiten|eskalieren|veranlassen|gutschreiben|ersetzen|kümmern|melden|prüfen)(?!\p{L})`,
  ),
  form(
    String.raw`(?<!\p{L})(?:ich habe|wir haben|habe ich|haben wir)(?!\p{L})[^.!?]*(?:erstattet|zurückgezahlt|storniert|weitergeleitet|veranlasst|eskaliert|gutgeschrieben|geschickt|gesendet|beantragt|gebucht)(?!\p{L})`,
  ),
  form(String.raw`(?<!\p{L})(?:ich|wir)\s+(?:garantieren?|verspreche[n]?|versichern?)(?!\p{L})`),
];

/** The last words may begin a promise: the next one tells. */
export const opening = new RegExp(
  `(?:${subject}|(?<!\\p{L})(?:let|you have|has|have|ich|wir|werden?|haben?)` +
    `|${ofTheirs}(?:'s|\\s+(?:was|were|is|are|will)(?:${adverbs}\\s+(?:be|being))?)` +
    `|(?<![\\p{L}'])you(?:'ll|'re|${adverbs}\\s+(?:will|shall|are))(?:${adverbs}\\s+(?:going|going\\s+to|be|entitled(?:\\s+to)?))?)${adverbs}\\s*$`,
  'iu',
);
/** A promise has begun, or what explains the company's rules: the whole sentence tells. */
export const begun = new RegExp(
  `${subject}(?:${future}|${perfect}|${present}|${adverbs}\\s+(?:promise|guarantee|assure|swear|pledge|vouch|give|can|could))(?!\\p{L})` +
    `|${subject}(?:'ve|${adverbs}\\s+(?:have|has))?${adverbs}\\s+(?:${past}|${pays}|(?:went|gone|managed|was|were|did)(?!\\p{L}))` +
    `|${ofTheirs}(?:${happened}|\\s+(?:is|are|will\\s+be))${adverbs}\\s+${done}` +
    `|${willYou}${adverbs}\\s+(?:get|receive|have|be\\s+\\p{L}+)(?!\\p{L})|${getsAll}` +
    `|(?<!\\p{L})(?:let me|you have (?:my|our)|(?:has|have)${adverbs}\\s+been|(?:ich|wir) (?:werden?|haben?|\\p{L}*garantier\\p{L}*|versprech\\p{L}*|versicher\\p{L}*)|(?:werden?|haben?) (?:ich|wir))(?!\\p{L})`,
  'giu',
);
