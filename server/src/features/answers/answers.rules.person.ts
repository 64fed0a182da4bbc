import { anyOf as any, createSpelling } from './answers.rules.words.ts';

/*
 * Asking for a person is a small grammar: a verb, whom, how politely, in any spelling. A verb alone or
 * a person alone ask for nothing: "the person I sent money to". What follows matches plain words.
 */

const spell = createSpelling(
  'talk talking speak speaking chat chatting communicate contact contacting connect transfer escalate ' +
    'human agent operator representative assistant advisor adviser supervisor manager consultant ' +
    'person someone somebody anyone with want need please real',
  'take task tall tale tank walk what that char chart cheat coat cast than wish wait wind width went ' +
    'weed feed read ready deal meal rear pleased release assistance assist operate operated ' +
    'operation represent contract contracts connected connects transferred transfers contacted ' +
    'contacts talked talks speaks speaker chats managed manage management season personal persons ' +
    'agents humans agency spoke wont cant won taking walking charting steak sneak peak lease ' +
    'advise advised advises advice escalated escalator transform communicated communicates',
);

const upTo = (most: number, word: string): string => `(?:${word} ){0,${most}}`;
/** The next words are none, or some of these. */
const before = (...words: string[]): string => `(?= (?:[.,]|${any(...words)}\\b|$))`;

const real = any('real, live, actual, genuine, living, human, physical');
const kind = any(
  'an?, na, the, any, some, one, your?, ur, of, another, different, qualified, senior, sort, type',
  'customer, client, care, support, service, sales, billing, technical, call, center',
  'damn, damned, goddamn, bloody, fuck\\w*, freaking, actually',
  real,
);
/** Not "an agent account" or "human resources". */
const noThing = `(?! ${any(
  'accounts?, roles?, seats?, licen[cs]es?, permissions?, access, login, app, names?, ids?, numbers?',
  'codes?, portal, plans?, dashboard, resources, rights, errors?, fees?, view, mode, status',
)}\\b)`;
const expert =
  any(
    'humans?(?: being)?, agents?, operators?, rep(?:resentative)?s?, assistants?, advis[eo]rs?',
    'supervisors?, managers?, consultants?, csr, colleagues?, employees?, staff(?: member)?',
    'executives?, specialists?, experts?, superiors?',
    'team members?, members? of (?:the |your )?(?:staff|team), some(?:one|body) (?:real|human)',
    `${real} ${any('person, people, someone, somebody, one, support, help, assistance')}`,
  ) + noThing;
const anyone = any('someone, somebody, anyone, anybody, (?:an?|na|any|some|one) (?:\\w+ )?person');
const team = any('support, department, team, centre, center, service, desk, helpdesk');
const anExpert = upTo(5, kind) + expert;
const who = upTo(5, kind) + any(expert, anyone);

const to = any('to, ot, with, w, 2');
const talk = any('talk, speak, chat, communicate, converse, deal') + '(?:t?ing)?';
const getHold =
  '(?:get|getting|be|put) (?:(?:a )?hold of|ahold of|in (?:touch|contact) with|through to)';
const contact = any('contact, call, phone, reach, ring, message') + '(?:ing)?(?: out)?';
const transfer =
  any('connect, transfer, forward, direct, redirect, refer, route, patch, pass, switch, put') +
  '(?:r?ing|ting)?';
const transferred = any('connected, transferred, forwarded, directed, passed, put, switched');
const over = `(?:${any('over, through, on, back, directly, in touch, in contact')} )?`;
const usOrThis = any(
  'me, us',
  `(?:this|the|my) ${any('chat, call, conversation, case, issue, matter')}`,
);
const help = any(
  'help, look, assist, handle, take, check, call, contact, reply, respond, answer, review, join, reach',
);
const modal = any('can, could, may, might, will, would, let, have, want, need, get, please, ask');
const bot = '(?:ro|chat)?bots?';
const oneself = `(?<! (?:i am|im) )`;
const noMore = any(
  'not, dont, wont, no, stop, hate, refuse, instead of, rather than, tired of, sick of, fed up with',
);

const requests = [
  `${talk} (?:directly )?${to} (?:${who}|person)`,
  `${any(talk, contact, getHold)} (?:to |with )?${anExpert}`,
  `(?:${getHold}|contact(?:ing)?|reach(?:ing)?(?: out)?) (?:to |with )?${who}`,
  `discuss(?:ing)? (?:\\w+ ){1,4}with ${who}`,
  `(?:${transfer}|hand) (?:to )?${usOrThis} ${over}(?:${to} )?${upTo(6, kind)}${any(expert, anyone, team)}`,
  `(?:${transfer}|hand|send) (?:(?:it|this|that|my \\w+) )?${over}${to} ${anExpert}`,
  `(?:be|get) ${transferred} ${over}${to} ${upTo(6, kind)}${any(expert, anyone, team)}`,
  `escalat(?:e|ing) (?:this|it|my|the|to|please|\\.)`,
  `(?:get|give|find|bring|fetch|send) (?:me|us) ${who}`,
  `(?:need|want|prefer|require|request|demand|wanna|(?:would|id|really) like|(?:get|have|give|gimme)(?= (?:me|an?|the|some|${real}) )) (?:me |us |to have |to get )?(?:${anExpert}|an? person)${before('to, who, that, please, now, not, for, on, about, and, or, instead, here, right, immediately, asap, because, cause, as, at, in, from, i, support, help, assistance')}`,
  `(?:is|are) there ${upTo(3, kind)}${any(expert, anyone)} (?:here|there|available|around|(?:that |who )?(?:i|we) can|to)`,
  `is ${upTo(3, kind)}${any(expert, anyone)} (?:out )?(?:there|available|around)`,
  `(?:who|${any(expert, anyone)}) (?:(?:that |who )?(?:(?:can|could|may|do|should) (?:i|we)|(?:i|we) (?:can|could|may)|to) )${talk} ${to}${before('please, about, regarding, in')}`,
  `${modal} ${anExpert} (?:please |to )?${help}`,
  `(?:${modal}|like) ${who} (?:from (?:\\w+ ){1,3})?(?:please |to ){0,2}(?:call|contact|phone|ring|reach|message) (?:me|us)`,
  `(?<! what(?: \\w+){0,3} )(?:please|can|could|would|will|must|need|want) (?:(?:you|u) )?(?:to )?(?:please )?(?:call|phone|ring) me${before('back, at, on, now, asap, please, today, tomorrow, about, regarding')}`,
  any('(?:call|phone|ring) me back, give me a (?:call|ring), request a call ?back'),
  `(?:connect|transfer) me${before('please, now')}`,
  `(?:put|bring|call|get) ${anExpert} (?:on|in|into|here)`,
  `(?:if|that) ${who} (?:could|can|would) (?:call|contact|phone|ring|reach|message) (?:me|us)`,
  `${oneself}${noMore} (?:(?:want|like|need|wish|wanna) )?(?:to )?(?:be )?${talk} ${to} (?:(?:these|this|more|you|an?|the|your|some) ){0,2}${any(bot, 'machines?, computers?, ai')}`,
  `${oneself}${any('not, no, instead of, rather than, hate, sick of, tired of, skip, bypass, enough of, enough with')} (?:(?:an?|the|more|these|this|your|stupid) ){0,2}${bot}(?! ${any('check, test, captcha, filter, traffic')})`,
];
const request = new RegExp(` (?:${requests.join('|')})(?![\\p{L}\\p{N}])`, 'gu');

const polite = any('please, pls, plz, now, asap, thanks?, you, hi, hello, hey, just, immediately');
const nothingElse = new RegExp(
  `^ ${upTo(5, any(polite, kind, ',', '\\.'))}${any(expert, 'person')} ${upTo(4, any(polite, ',', '\\.'))}$`,
  'u',
);

/** The commonest ways in German, French and Spanish; a model knows the rest. */
const elsewhere = [
  [
    'sprechen, reden, chatten, verbind\\w*, telefonieren, mochte, will, brauche',
    'mensch, mitarbeiter, berater, jemand, kundenberater, ansprechpartner',
  ],
  [
    'mensch\\w*, mitarbeiter\\w*, berater\\w*, jemande[mn]',
    'sprechen, reden, chatten, verbinden, verbunden, telefonieren, bitte',
  ],
  [
    'parler, discuter, echanger, contacter, joindre, passer, passez, transfere\\w*, veux, voudrais',
    'quelquun, personne, humain, conseiller, agent, operateur, responsable',
  ],
  [
    'hablar, chatear, comunicar\\w*, contactar, pasar\\w*, paseme, quiero, necesito',
    'persona, humano, agente, alguien, asesor, operador, representante, supervisor',
  ],
] as const;
const requestElsewhere = new RegExp(
  ` (?:${elsewhere.map(([verbs, nouns]) => `${any(verbs)} [^.]{0,25}\\b${any(nouns)}`).join('|')})`,
  'u',
);

/** What stands before a verb and turns the request into something else. */
const turned = new RegExp(
  ` ${any(
    '(?:not|dont|never|didnt|wont) (?:want|need|have|wish|like|care|going)(?: to)?',
    'without, avoid, before, after, while, by, instead of, rather than, if i, if you',
    'my, our, your, last, previous',
    '(?:am i|are we|is this|im|i am|was|were|been|is he|is she|are you)(?: just| still)?',
    '(?<! (?:how|what|where|who|when) )(?:do|does|should|must) (?:i|we|they|he|she)(?: (?:need|have|really|always|still))*(?: to)?',
  )}$`,
  'u',
);
/** Characters before a request that are looked at. */
const reach = 40;

/** Whether plain words ask for a person. */
export function asksForPerson(words: string): boolean {
  const spelt = spell(words);
  if (nothingElse.test(spelt) || requestElsewhere.test(words)) return true;
  return spelt
    .matchAll(request)
    .some(({ index }) => !turned.test(` ${spelt.slice(Math.max(0, index - reach), index)}`));
}
