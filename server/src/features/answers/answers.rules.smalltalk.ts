/*
 * Messages that are nothing but a courtesy. Each is a list of words: one word more, and it is a
 * question that deserves an answer.
 */

const only = (lengthMax: number, least: RegExp, words: string) => {
  const allowed = new Set(words.split(' '));
  return (plain: string): boolean => {
    const said = plain.split(/[\s.,]+/u).filter((word) => word !== '');
    return said.length <= lengthMax && least.test(plain) && said.every((word) => allowed.has(word));
  };
};

const addressees =
  'there everyone everybody all team folks guys sir madam mate friend bot assistant';
const smileys = 'd p xd lol haha';

export const isGreeting = only(
  10,
  / (?:h(?:i+|e+y+|ello+|iya|owdy)|hallo|hola|bonjour|greetings|good (?:morning|afternoon|evening|day)|yo|sup|whats up|how are you|how(?:s|re| is| are) (?:you|it|things|everything)|nice to meet you|welcome)(?= )/u,
  `hi hii hiii hey heyy heyyy hello helloo hallo hola bonjour greetings hiya howdy yo sup whats up good morning afternoon evening day dear how are you u is it going hows doing today things everything nice to meet been have has your the and again with for right now fellow ai going okay ok well friend hows howre whats just saying i say ${addressees} ${smileys}`,
);

export const isThanks = only(
  14,
  / (?:thanks?|thankyou|thanx|thx|ty|tysm|cheers|appreciated?|appreciate|danke|merci|gracias|perfect|awesome|great|brilliant|excellent|wonderful|amazing|fantastic|cool|helped|helpful|solved|works now|bye|goodbye|grateful|obliged|thankful|gratitude|(?<! you )got it)(?= )/u,
  `thank thanks thankyou thanx thx ty tysm cheers much appreciated appreciate danke merci gracias you u so very really a lot lots ton million bunch many for your the all help helping helped helpful info information assistance answer answering reply support time quick fast response that this it was is has been were are be perfect awesome great brilliant excellent wonderful amazing fantastic cool good nice ok okay alright yes yeah no oh ah well solved works worked now got understood again just i my me to and have day one evening weekend bye goodbye problem question issue super grateful obliged thankful gratitude glad big job done did thats why letting know giving let talk see later chat nice exactly what needed wanted need kind of very kindly again guys ${addressees} ${smileys}`,
);

export const acceptsOffer = only(
  12,
  /^(?!.*(?<! why) not ).* (?:yes|yeah+|yep|yup|yea|ya|sure|ok|okay|k|please|pls|plz|absolutely|definitely|certainly|of course|indeed|go ahead|do (?:it|that|so)|sounds (?:good|great|fine)|i (?:do|would|agree|want that|want to)|id like|id love|alright|fine|affirmative|correct|positive|ja|oui|si|y|why not|that (?:would|works))(?= )/u,
  `oh positive from yes yeah yeahh yeahhh yep yup yea ya y sure ok okay k please pls plz absolutely definitely certainly of course indeed go ahead do it that so this sounds good great fine nice helpful perfect wonderful awesome lovely kind best be is would will id ill i we you u like love want to agree alright all right affirmative correct true ja bitte oui si why not thanks thank thx very much now asap hi my a the totally for sure right think can could with me ${addressees}`,
);

export const declinesOffer = only(
  8,
  / (?:no|nope|nah|naw|nay|not|dont|nein|non|never ?mind)(?= )/u,
  `no nope nah naw nay way definitely absolutely certainly not now yet dont do i need it that thanks thank you u thx im am its is ok okay fine good all all right later maybe really never mind nevermind nein non please want to that wont be necessary at the moment today`,
);
