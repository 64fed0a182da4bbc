import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyRules } from './answers.rules.ts';

const ruleOf = (message: string, standing = { offered: false, troubles: 0 }): string | undefined =>
  applyRules(message, standing)?.ruleId;

describe('asking for a person', () => {
  test.each([
    'I want to talk to a human please',
    'can i plz speak 2 a real human',
    'Could you connect me with customer support?',
    'get me somebody',
    'HUMAN PLEASE!!!',
    'agent',
    'let me tlak to an agnet',
    'conect me to a represantative',
    'Please escalate this to your manager.',
    'Is there a real person I can talk to?',
    'who can I speak to about my order?',
    'have someone call me back',
    "I don't want to talk to a bot",
    "I won't talk to a machine",
    'You are not helpful, I want an operator.',
    'I would like someone from support to contact me',
    'transfer me to the call center',
    'I want to be transferred to an ａｇｅｎｔ',
    'hu\u200bman please',
    'Ich möchte mit einem Mitarbeiter sprechen',
    "Puis-je parler à quelqu'un ?",
    '¿Puedo hablar con un agente?',
  ])('%j is', (message) =>
    expect(applyRules(message, { offered: false, troubles: 0 })).toEqual({
      ruleId: 'asks-for-person',
      outcome: 'handoff',
      reason: 'requested',
    }),
  );

  test.each([
    'How do I return shoes?',
    'Am I talking to a real person?',
    'I spoke with an agent yesterday and she told me to reset it',
    'I was talking to an agent and got disconnected',
    'Do I need to speak to a representative to change my pin?',
    "I don't want to talk to anyone, just tell me the price",
    'How do I add an agent to my team account?',
    'Can I transfer my ticket to another person?',
    'The person who delivered my parcel was rude',
    'Can someone help me with my password?',
    'the I am not a robot check does not work',
    'What is your customer service number?',
    'At what hours can I call customer service?',
    'I need a manager account',
    'Please advise.',
    'I communicated with an agent yesterday',
    'my ticket was escalated to an agent',
    'you can call me Bob',
    'share a task with someone',
    'does this work with the google assistant',
  ])('%j is not', (message) => expect(ruleOf(message)).toBeUndefined());
});

describe('what people must decide', () => {
  test.each([
    ['I will kill you all', 'threat'],
    ['i just want to kill myself', 'threat'],
    ['there is a bomb in your office', 'threat'],
    ["If you don't refund me I will sue you.", 'legal'],
    ['You will hear from my lawyer', 'legal'],
    ["I don't care what you say, I'm taking this to court", 'legal'],
    ["I'll report you to the consumer protection", 'legal'],
    ['My card was stolen, what do I do?', 'fraud'],
    ['Somebody else is using my account', 'fraud'],
    ['There is an unauthorised charge on my statement', 'fraud'],
    ['I never authorized this payment', 'fraud'],
    ['You scammed me!', 'fraud'],
    ['Please delete all my personal data', 'privacy'],
    ['I would like to exercise my right to be forgotten', 'privacy'],
    ['This is a GDPR request.', 'privacy'],
    ['Send me all the data you have about me', 'privacy'],
  ])('%j is %s', (message, reason) =>
    expect(applyRules(message, { offered: false, troubles: 0 })).toEqual({
      ruleId: reason,
      outcome: 'handoff',
      reason,
    }),
  );

  test.each([
    'How do I kill the process?',
    'The battery will die soon',
    'Do you sell to lawyers?',
    'Is there a court with a tennis net?',
    'What do I do if my card is stolen?',
    'How do I report a stolen card?',
    'How do you protect my account from fraud?',
    'Could my card be stolen?',
    'I get an unauthorized access error',
    'Is your product GDPR compliant?',
    'How do I delete my data?',
    'How do I delete my account?',
    'Can I change my personal details?',
  ])('%j is an ordinary question', (message) => expect(ruleOf(message)).toBeUndefined());
});

describe('feelings', () => {
  test.each([
    'This is absolutely ridiculous!',
    'Worst service ever.',
    "I'm so fed up with this",
    'your support is useless',
    'what a waste of my time',
  ])('%j gets the offer of a person', (message) =>
    expect(applyRules(message, { offered: false, troubles: 0 })).toEqual({
      ruleId: 'anger',
      outcome: 'offer',
      reason: 'frustration',
    }),
  );

  test('a curse in a question is no anger at us', () => {
    expect(ruleOf('how do I reset my damn password?')).toBeUndefined();
  });

  test('after two answers that failed, or one and a complaint about it, a person is offered', () => {
    expect(ruleOf('And now?', { offered: false, troubles: 2 })).toBe('repeated-failure');
    expect(ruleOf("That didn't help", { offered: false, troubles: 1 })).toBe('repeated-failure');
    expect(ruleOf('And for shoes?', { offered: false, troubles: 1 })).toBeUndefined();
    expect(ruleOf("That didn't help", { offered: false, troubles: 0 })).toBeUndefined();
  });
});

describe('after an offer', () => {
  const offered = { offered: true, troubles: 0 };

  test.each([
    'Yes please!',
    'yeah sure',
    'ok',
    'That would be great, thanks',
    'Why not?',
    'ja bitte',
  ])('%j accepts', (message) =>
    expect(applyRules(message, offered)).toMatchObject({
      outcome: 'handoff',
      reason: 'accepted-offer',
    }),
  );

  test.each(['No thanks', 'no', 'not now, thank you', 'definitely not', 'never mind'])(
    '%j declines, and is not searched for',
    (message) => expect(applyRules(message, offered)).toMatchObject({ outcome: 'canned' }),
  );

  test.each(['Yes, but how do I return shoes?', 'Sure about that price?', 'Is it ok to wash it?'])(
    '%j is a question',
    (message) => expect(ruleOf(message, offered)).toBeUndefined(),
  );

  test('without an offer, a yes accepts nothing', () => {
    expect(ruleOf('Yes please!')).toBeUndefined();
  });
});

describe('courtesies', () => {
  test.each([
    ['Hi!', 'greeting'],
    ['Good morning team', 'greeting'],
    ['hello, how are you?', 'greeting'],
    ['Thanks!', 'thanks'],
    ['Great, thank you so much for your help', 'thanks'],
    ['perfect, that solved it', 'thanks'],
  ])('%j is nothing but a %s', (message, reply) =>
    expect(applyRules(message, { offered: false, troubles: 0 })).toEqual({
      ruleId: reply,
      outcome: 'canned',
      reply,
    }),
  );

  test.each(['Hi, where is my order?', 'Thanks, but how long does it take?', 'Good shoes', ''])(
    '%j is more, or less',
    (message) => expect(ruleOf(message)).toBeUndefined(),
  );
});

describe('any message', () => {
  test('whatever it holds, is judged the same for its letters in another shape', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), (message) => {
        const standing = { offered: true, troubles: 1 };
        expect(applyRules(message.toUpperCase().toLowerCase(), standing)).toEqual(
          applyRules(message.toUpperCase().toLowerCase().normalize('NFKC'), standing),
        );
      }),
    );
  });

  test.each([
    'a',
    'a ',
    'talk to ',
    'to a ',
    'a real ',
    'please ',
    'my card ',
    'you are so ',
    'if someone used my ',
    'what a ',
    '. ',
    'agnet ',
  ])('100 kB of %j take little time', (piece) => {
    const start = performance.now();
    applyRules(piece.repeat(100_000 / piece.length), { offered: true, troubles: 1 });
    expect(performance.now() - start).toBeLessThan(1_000);
  });
});
