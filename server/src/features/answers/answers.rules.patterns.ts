import { anyOf as any } from './answers.rules.words.ts';

/*
 * What people must decide, said as a fact or a demand. The patterns match plain words: no accents, no
 * apostrophes, one space between words.
 */

const pattern = (...sentences: string[]): RegExp =>
  new RegExp(` (?:${sentences.join('|')})(?![\\p{L}\\p{N}])`, 'u');

const willDo = any('i will, ill, im going to, i am going to, im gonna, i swear i will');
const harm = any('kill, murder, shoot, stab, strangle, hurt, attack, bomb, burn down, blow up');
const someoneHere = any(
  'you, u, yall, them, him, her, everyone, everybody, someone, somebody, people, your \\w+',
);

/** Violence against others or oneself. Whether meant or not is for a person to judge. */
export const threat = pattern(
  `${willDo} (?:\\w+ )?${harm} ${someoneHere}`,
  `${any('going to, gonna, want to, wanna, will, thinking of, thinking about')} (?:kill|killing|harm|harming|hurt|hurting|end|ending) (?:myself|my life|it all)`,
  '(?:kill|killing|harm|harming|hurt|hurting) myself',
  `${any('want to, wanna, going to, rather')} die(?! for)`,
  any('suicid(?:e|al), self harm, dont want to live, better off dead, end my (?:own )?life'),
  '(?:you|u|you all|yall) (?:will|are going to|gonna|deserve to|should) (?:all )?(?:die|regret it with your life|pay with your life)',
  '(?:i know|we know|i will find|ill find|find out) where (?:you|u) (?:live|work|all live|sleep)',
  'come (?:to|over to) your (?:office|house|home|store|shop|door) (?:and|with) (?:kill|shoot|hurt|burn|a gun|a knife|a bat)',
  any('(?:there is|i have|put|planted|placed) a bomb, death threats?, bomb threat'),
);

const lawyer = any(
  'lawyers?, attorneys?, solicitors?, legal (?:team|counsel|adviser|advisor|representatives?)',
);
const authority = any(
  'police, authorities, ombudsman, trading standards, consumer protection, better business bureau, bbb, ftc, regulator, attorney general, financial conduct authority, fca, cfpb, data protection authority',
);

export const legal = pattern(
  `${any('contact\\w*, call\\w*, consult\\w*, hir(?:e|ing), spoke (?:to|with), speak(?:ing)? (?:to|with), talk(?:ing|ed)? (?:to|with), get(?:ting)?, seek(?:ing)?, involv\\w+, through, via, from, instruct\\w*, sees?, engag\\w+')} (?:my|our|an?|the) ${lawyer}`,
  `(?:my|our) ${lawyer} (?:will|has|have|is|are|says?|said|advised?|wants?|can|shall|would)`,
  `(?:sue|suing) ${any('you, u, your \\w+, the company')}`,
  `${any('take, taking, drag, bring, see')} (?:you|u|this|it|them|your company|the matter) (?:\\w+ ){0,2}(?:in|to|into|before) (?:\\w+ )?(?:court|tribunal|justice)`,
  '(?:taking|take|pursue|pursuing|consider|considering|start|starting|initiate|begin|threaten) (?:\\w+ )?legal (?:action|steps|proceedings|measures)',
  '(?:legal action|legal proceedings|legal steps) (?:against|will|if)|(?:seek|seeking|get|getting|take|taking) legal advice',
  any(
    'small claims(?: court)?, class action, press(?:ing)? charges, (?:file|filing|bring) a (?:law)?suit, lawsuit, breach of contract, cease and desist',
  ),
  `report(?:ing)? (?:you|u|this|your \\w+|it|them) to (?:the )?(?:\\w+ )?${authority}`,
);

const asset = any(
  'card, cards, wallet, purse, account, accounts, identity, money, funds, savings, (?:card|account|bank|payment|personal) (?:details|number|numbers|info|information|data), details, credentials',
);
const bad = any('unauthori[sz]ed, fraudulent');
const somebody = any(
  'someone(?: else)?, somebody(?: else)?, (?:a )?(?:thief|thieves|scammers?|hackers?|fraudsters?|strangers?|criminals?)',
);
const payment = any(
  'charge, charges, payment, payments, transaction, transactions, purchase, purchases, withdrawal, withdrawals, withdraw, debit, order, orders, transfer, transfers, activity, use, access, login',
);

const modifiers =
  '(?:(?:all|an?|just|nothing but|total|complete|clearly|bunch of|real|such|fucking) ){0,4}';

export const fraud = pattern(
  `(?:my|our|the) (?:\\w+ ){0,2}${asset} (?:\\w+ ){0,3}(?:stolen|hacked|compromised|cloned|skimmed|hijacked)`,
  `(?:had|got) (?:my|our) (?:\\w+ )?${asset} (?:\\w+ )?(?:stolen|hacked|cloned)`,
  `${somebody} (?:\\w+ ){0,3}(?:stole|stolen|hacked|cloned|copied|hijacked|took over|taken over|skimmed|broke into|misused|is misusing) (?:\\w+ ){0,3}${asset}`,
  `${somebody} (?:\\w+ ){0,3}(?:using|used|charged|accessed|emptied|drained|withdrew|withdrawn|withdrawing) (?:\\w+ ){0,3}my (?:\\w+ ){0,3}${asset}`,
  `${somebody} (?:\\w+ ){0,3}(?:bought|ordered|purchased|purchases?|paid) (?:\\w+ ){0,4}(?:with|using|on|from) my (?:\\w+ )?${asset}`,
  `(?:${any('theres, there is, there are, there was, there were, theres been, i have, i see, i found, i noticed, i spotted, got, i had, has, shows?, been, report, made, see, noticed, this is, thats, that is, looks like')}) (?:\\w+ ){0,3}${bad} (?:\\w+ ){0,2}${payment}(?! (?:errors?|messages?|responses?|exceptions?|status)\\b)`,
  `${payment} (?:\\w+ ){0,4}(?:is|are|was|were|looks?) (?:\\w+ ){0,2}${bad}`,
  `i (?:did not|didnt|never|have not|havent) authori[sz]ed? (?:\\w+ ){0,4}${payment}`,
  `${payment} (?:that |which )?i (?:did not|didnt|never|have not|havent) authori[sz]ed?`,
  `${any(asset, payment, 'used, charged, taken, took, accessed')} (?:\\w+ ){0,6}without my (?:permission|knowledge|consent|authori[sz]ation|approval)`,
  `i (?:am|was|have been|ve been|think i am|may be|might be) (?:\\w+ ){0,4}victim of (?:\\w+ ){0,3}(?:fraud|identity theft|a scam|scam)`,
  `(?:i was|i got|ive been|i have been|i am being|im being|you|u|they) (?:\\w+ )?(?:scammed|scamming|defrauded|defrauding|phished|ripped (?:me )?off)`,
  '(?:you|u|you guys|you people|your company|your (?:shop|store)) (?:are|r|is|all are) ' +
    modifiers +
    '(?:scam|scammers?|frauds?|fraudsters?|thieves|crooks|criminals)',
  '(?:you|u|they|you guys|you people) (?:have )?(?:stole|stolen|stealing) (?:from me|my money)',
  `this is ${modifiers}(?:fraud|theft|scam|identity theft)`,
);

const personalData = any(
  'my (?:personal |private |own |customer )?(?:data|information|details|records|personally identifiable information)',
  'our (?:personal )?data, (?:all )?(?:the )?(?:data|information|everything) (?:\\w+ )?(?:you|u) (?:have|hold|store|stored|collected|keep|kept)(?: \\w+)? (?:on|about|of) me, all data about me',
);

export const privacy = pattern(
  `${any('delete, deletion of, deleting, erase, erasing, erasure of, remove, removing, removal of, destroy, wipe, purge, forget')} (?:all (?:of )?)?${personalData}(?! (?:plan|point|points|card|roaming))`,
  `${any('copy of, export of, access to, disclose, send me, give me')} (?:all (?:of )?)?${any('my personal (?:data|information), (?:all )?(?:the )?(?:personal )?(?:data|information) (?:that )?(?:you|u) (?:have|hold|store|stored|collected|keep) (?:on|about|of) me')}`,
  `${any('gdpr, ccpa, lgpd, dsgvo, privacy, data protection')} (?:\\w+ )?(?:request|complaint|violation|breach|officer request)`,
  `${any('under, according to, pursuant to, per, invoke, invoking, exercise, exercising, citing')} (?:\\w+ ){0,4}${any('gdpr, ccpa, lgpd, dsgvo, rights? (?:to|of) (?:be forgotten|erasure|access|rectification|object)')}`,
  any(
    'right to (?:be forgotten|erasure), right of (?:erasure|access by), subject access request, data (?:subject|deletion|erasure) (?:\\w+ )?request, dsar, stop processing my (?:personal )?(?:data|information), withdraw my consent, (?:leaked|sold|shared|selling|sharing|leaking) my (?:personal )?(?:data|information|details)',
  ),
);

const us = any(
  'this, it, that, thats, its, you, u, youre, ur, you guys, you people, your (?:\\w+ ){0,1}\\w+',
  'this (?:\\w+ ){0,1}\\w+, absolutely, totally, completely, simply',
);
const dreadful = any(
  'ridiculous, unacceptable, outrageous, useless, pathetic, disgusting, disgraceful, a joke, terrible',
  'a disgrace, awful, horrible, horrendous, appalling, atrocious, shameful, incompetent, hopeless',
  'garbage, trash, rubbish, bullshit, crap, shit, the worst, insane, absurd, no help, of no help',
);
const very =
  '(?:(?:is|are|was|were|r|been|being|so|just|absolutely|totally|completely|simply|really|beyond|all|fucking|freaking|such|utterly|an?|truly|very|quite|getting) ){0,4}';

/** Anger at us. A curse alone is none: "how do I reset my damn password". */
export const anger = pattern(
  `${us} ${very}${dreadful}`,
  '(?:worst|most useless|most incompetent) (?:\\w+ )?(?:service|support|company|experience|shop|store|bank|website|app|bot|help|assistant)',
  '(?:im|i am|ive been|i have been) (?:\\w+ ){0,3}(?:furious|livid|outraged|fed up|sick of|sick and tired|pissed|pissed off|enraged|fuming|angry|at my wits end)',
  '(?:ive|i have) (?:\\w+ )?(?:had enough|lost (?:all |my )?patience)',
  '(?:so|very|extremely|really|beyond|incredibly|increasingly|pretty|getting) (?:frustrated|frustrating|annoyed|annoying|angry|pissed|mad)',
  'wast(?:e|ed|ing) (?:of )?(?:my |so much )?time',
  '(?:fuck|screw) (?:you|u|off|this|your \\w+)|go to hell|wtf is (?:wrong|this)|what the (?:hell|fuck) (?:is|are|do)',
  'never (?:\\w+ )?(?:buy|order|shop|use|do business|come back|return) (?:\\w+ ){0,3}(?:you|here|again|ever)',
  '(?:you|u|youre|you are|you arent|you are not|youre not|u arent) (?:not |no |being ){0,2}(?:helpful|helping|listening|any help|of any help) at all',
  '(?:you|u) (?:dont|do not|never|cant|cannot) (?:even )?(?:understand|listen to|read|get) (?:me|a word|anything|a thing|what i)',
);

/** The customer says that what came before did not solve it. */
export const saysItFailed = pattern(
  '(?:(?:did|does|is|has|was|have) ?(?:not|nt)|didnt|doesnt|isnt|hasnt|wasnt|still not|not|no) (?:\\w+ )?(?:help|helps|helped|helpful|helping|work|works|worked|working|solve|solved|fix|fixed|resolve|resolved|answer|answered|luck|what i (?:asked|meant|need|wanted))',
  'already (?:tried|did|done|read|told|said)',
  any(
    'same (?:problem|issue|error|answer|thing)(?: again| as before)?, still (?:the same|broken|stuck|failing|have the), wrong answer, makes no sense, useless',
  ),
);

const auxiliary = any('do, does, did, can, could, should, would, to, is, are, if');
/** Before a match, in its clause: somebody asks how it would be. */
export const question = pattern(
  `how (?:${auxiliary}|long|many|much)|what(?:s| ${auxiliary}| happens| steps)`,
  `(?:where|who|when) ${auxiliary}`,
  '(?:is|are) (?:there|it|this|that)|does|(?:can|could|should|would|might) i',
  '(?:can|could|should|would|might|is|are|was|were|has|have|did)(?= $)',
);
/** Before a match, in its clause: it has not happened. */
export const condition = pattern(
  any('if, in case, in the event, whether, suppose, prevent, avoid, protect'),
);
