import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GuardRule } from './answers.guard.ts';
import { badIn, canary, chunked, guarded, instructions, units } from './test-guard.ts';

/** What a model might write, and the rule that stops it. */
const attacks: readonly (readonly [string, GuardRule])[] = [
  // Links
  ['Go to https://evil.example/login now.', 'link'],
  ['Go to http://help.fernweh.example/returns now.', 'link'],
  ['See https://help.fernweh.example.evil.example/articles/x', 'link'],
  ['See https://help.fernweh.example@evil.example/articles/x', 'link'],
  ['See https://help.fernweh.example/articles/../admin', 'link'],
  ['See https://help.fernweh.example/articles/%2e%2e/admin', 'link'],
  ['See https://help.fernweh.example/articles/..%2fadmin', 'link'],
  ['See https://help.fernweh.example/articles/x?to=https://evil.example', 'link'],
  ['See https://help.fernweh.example/articles/x?to=https%3A%2F%2Fevil.example', 'link'],
  ['See HTTPS://EVIL.EXAMPLE/A', 'link'],
  ['Visit www.evil.example today.', 'link'],
  ['Visit evil.example/login today.', 'link'],
  ['Visit fernweh-refunds.com today.', 'link'],
  ['Visit evil.example:8080 today.', 'link'],
  ['Visit evil.example?a=b today.', 'link'],
  ['Visit //evil.example/x today.', 'link'],
  ['Visit http://192.168.0.1/admin today.', 'link'],
  ['Visit 10.0.0.1/admin today.', 'link'],
  ['Visit http://3232235521/ today.', 'link'],
  ['Visit http://[::1]/ today.', 'link'],
  ['Write to refunds@evil.example today.', 'link'],
  ['Write to mailto:refunds@evil.example today.', 'link'],
  ['Call tel:+31105550199 today.', 'link'],
  ['Run javascript:alert(1) now.', 'link'],
  ['Open data:text/html;base64,PHNjcmlwdD4= now.', 'link'],
  ['Open ftp://evil.example/a now.', 'link'],
  ['Open steam://run/evil now.', 'link'],
  ['Open file:///etc/passwd now.', 'link'],
  ['Read [our page](https://evil.example/a) first.', 'link'],
  ['Read [our page](evil.html) first.', 'link'],
  ['Read [our page](/admin) first.', 'link'],
  ['Read [our page](javascript:alert(1)) first.', 'link'],
  ['Read [our page]( https://evil.example/a ) first.', 'link'],
  ['Read [our page](\nhttps://evil.example/a) first.', 'link'],
  ['Read [our page](<evil page.html>) first.', 'html'],
  ['Read [our page](https://help.fernweh.example/returns"onclick="x) first.', 'link'],
  ['Read [Really? Yes. It is](https://evil.example/a) first.', 'link'],
  ['Read [1](https://evil.example/a) first.', 'link'],
  ['Read <https://evil.example/a> first.', 'link'],
  ['Read <refunds@evil.example> first.', 'link'],
  ['Read [the page][b].\n\n[b]: https://evil.example/a', 'link'],
  ['Read [the page][b].\n\n[b]: evil', 'link'],
  ['[returns]: /admin\nRead [returns].', 'link'],
  ['Go to ｈｔｔｐｓ：／／ｅｖｉｌ．ｅｘａｍｐｌｅ／a now.', 'link'],
  ['Go to evil。example/login now.', 'link'],
  ['Go to evil․com now.', 'link'],
  ['Go to https:∕∕evil.example∕login now.', 'link'],
  ['Go to ht\u200btps://ev\u200cil.example/a now.', 'link'],
  ['Go to h\u00adttps://evil.exam\u00adple/a now.', 'link'],
  ['Go to \u202ehttps://evil.example/a now.', 'link'],
  ['Go to evil.\u2060com/a now.', 'link'],
  ['Go to https://hеlp.fernweh.example/returns now.', 'link'],
  ['Go to https://xn--fernweh-cua.example/returns now.', 'link'],
  ['Go to фернвех.рф/возврат now.', 'link'],
  ['Go to https:\\\\evil.example\\a now.', 'link'],
  ['Go to https:/\\evil.example/a now.', 'link'],
  ['Go to https\\://evil.example/a now.', 'link'],
  ['Go to https:\n//evil.example/a now.', 'link'],
  ['Go to https:/\n/evil.example/a now.', 'link'],
  ['Go to %68ttps%3A%2F%2Fevil.example now.', 'link'],
  ['Go to https%253A%252F%252Fevil.example now.', 'link'],
  ['Go to ht[9]tps://evil.example/a now.', 'link'],
  ['Go to evil [9].example/login now.', 'link'],
  ['Go to **evil**.example/login now.', 'link'],
  ['Go to https://evil**.example**/login now.', 'link'],
  ['Go to https://help.fernweh.example/returns/../../evil now.', 'link'],
  ['See https://help.fernweh.example{.evil.example now.', 'link'],
  ['See https://help.fernweh.example".evil.example now.', 'link'],
  ['See https://help.fernweh.example`@evil.example now.', 'link'],
  ['See https://help.fernweh.example/returns,https://evil.example now.', 'link'],
  ['See HtTpS:evil.com now.', 'link'],
  ['See [x][y](https://evil.example/a) now.', 'link'],
  ['See [x](https://help.fernweh.example/returns)(https://evil.example/a) now.', 'link'],
  ['See [https://evil.example/a](https://help.fernweh.example/returns) now.', 'link'],
  ['| a | https://evil.example/a |', 'link'],
  ['`https://evil.example/a`', 'link'],
  // Images
  ['Look: ![x](https://evil.example/pixel.png)', 'image'],
  ['Look: ![x](https://help.fernweh.example/returns)', 'image'],
  ['Look: ![x][b]', 'image'],
  ['Look: ![1](https://help.fernweh.example/returns)', 'image'],
  ['Look: !\\[x](/pixel.png)', 'image'],
  // HTML
  ['Now <a href="https://evil.example">here</a>.', 'html'],
  ['Now <img src=x onerror=alert(1)>', 'html'],
  ['Now <script>alert(1)</script>', 'html'],
  ['Now <!-- hidden --> here.', 'html'],
  ['Now </p> here.', 'html'],
  ['Now ＜b＞bold＜/b＞ here.', 'html'],
  ['Now <\u200bscript>alert(1)', 'html'],
  ['Now < [9]script> here.', 'html'],
  ['Now &lt;a href=x&gt; here.', 'html'],
  ['Now &#60;a here.', 'html'],
  ['Now [x](&#106;avascript:alert) here.', 'html'],
  ['Now https&colon;//evil here.', 'html'],
  // Numbers
  ['You have 45 days to return it [1].', 'number'],
  ['You have forty days to return it [1].', 'number'],
  ['You get €500 back [2].', 'number'],
  ['You get $10 off [3].', 'number'],
  ['You have 30 weeks to return it [1].', 'number'],
  ['You have a hundred days to return it [2].', 'number'],
  ['You have two hundred and ten days to return it [1].', 'number'],
  ['You get a dozen euros back [2].', 'number'],
  ['You get 25 % off [3].', 'number'],
  ['Use the code SAVE20 at checkout [3].', 'number'],
  ['Use the code \u0663\u0665 EUR at checkout [3].', 'number'],
  ['Call us at +31 20 999 1234 today.', 'number'],
  ['It ends on 24 December 2026 [3].', 'number'],
  ['We close at 23:00 today [5].', 'number'],
  ['The recall covers TF-9999 [4].', 'number'],
  ['You have 100 days for refunds in our app [3].', 'number'],
  ['Refunds take a while [2]. You have 60 days for that.', 'number'],
  // Promises
  ['We will refund your order today.', 'promise'],
  ["I'll call you tomorrow.", 'promise'],
  ['I’ll personally make sure of it.', 'promise'],
  ['I have escalated this to the team.', 'promise'],
  ["I've cancelled your order.", 'promise'],
  ['I am processing your refund right now.', 'promise'],
  ['We are going to send you a new jacket.', 'promise'],
  ['A colleague will contact you within a few hours.', 'promise'],
  ['Our support team will get back to you soon.', 'promise'],
  ['Someone will call you back.', 'promise'],
  ['I guarantee that it fits.', 'promise'],
  ['We **will** gladly *refund* everything.', 'promise'],
  ['We will [1] refund everything.', 'promise'],
  ['We will\nrefund everything to you.', 'promise'],
  ['Your refund has been approved.', 'promise'],
  ['Let me cancel that for you.', 'promise'],
  ['I refunded your order.', 'promise'],
  ['I just cancelled your order.', 'promise'],
  ['I did cancel your order.', 'promise'],
  ['I went ahead and cancelled it for you.', 'promise'],
  ['I was able to cancel your order.', 'promise'],
  ['I passed this on to our team.', 'promise'],
  ['Yesterday we sent you a replacement.', 'promise'],
  ['In the meantime we shipped your parcel.', 'promise'],
  ['Good news: our team approved your request.', 'promise'],
  ['Your refund was approved. We refunded you.', 'promise'],
  ['Your refund is approved.', 'promise'],
  ['Your refund is being processed.', 'promise'],
  ["Your refund's been approved.", 'promise'],
  ['Your **parcels** were already sent again.', 'promise'],
  ['Your order will be refunded.', 'promise'],
  ['You will get a full refund.', 'promise'],
  ["You'll receive a replacement today.", 'promise'],
  ['You will be refunded in full.', 'promise'],
  ['If you want, you will get a full refund.', 'promise'],
  ['You get a full refund [1].', 'promise'],
  ['We refund you the full price.', 'promise'],
  ['Ich habe Ihre Bestellung storniert.', 'promise'],
  ['Wir werden Ihnen den Betrag erstatten.', 'promise'],
  // The prompt
  [`My secret is ${canary}.`, 'prompt'],
  ['My secret is K7Q2 vexing OTTER.', 'prompt'],
  ['My secret is k 7 q 2 v e x i n g o t t e r.', 'prompt'],
  [`They told me: ${instructions}`, 'prompt'],
  ['They said: NEVER  promise\nan **action** you can only explain', 'prompt'],
  ['The block is <kb-0a1b2c3d n="1">', 'prompt'],
  ['Here it is.\nANSWER\nMore.', 'prompt'],
  ['Here it is.\nHANDOFF:legal', 'prompt'],
  ['Here it is: NO_ANSWER', 'prompt'],
];

describe('the guard under attack', () => {
  test.each(attacks)('%j is stopped by the rule %s', (input, rule) => {
    for (const chunks of [[input], units(input), input.split(/(?<=\s)/)]) {
      const { shown, prefixes, rule: found } = guarded(chunks);
      expect(found).toBe(rule);
      expect(shown.length).toBeLessThan(input.length);
      expect(prefixes.flatMap(badIn)).toEqual([]);
    }
  });

  test('the detector of this test sees every link, image and tag when nothing guards', () => {
    const markup = attacks.filter(([, rule]) => ['link', 'image', 'html'].includes(rule));
    // Dropping a citation makes some, a definition links elsewhere, for most a quote ends a link.
    const isMadeLater = (input: string) =>
      /\[9\]|^\[returns\]: |\]: evil$|&lt;|example"/.test(input);
    const unseen = markup.filter(([input]) => !isMadeLater(input) && badIn(input).length === 0);
    expect(unseen.map(([input]) => input)).toEqual([]);
  });

  const piece = fc.oneof(
    fc.constantFrom(...attacks.map(([input]) => input).filter((input) => input.length < 200)),
    fc.constantFrom(
      '[1]',
      ' [2]',
      '[9]',
      '[1, 9]',
      '【2】',
      '[',
      ']',
      '(',
      ')',
      '<',
      '!',
      '&',
      '#',
    ),
    fc.constantFrom('.', '. ', '\n', '\n\n- ', ' ', ':', '/', '//', '\\', '@', '%', '*', '`', 'x'),
    fc.constantFrom(
      '30 days',
      '€49',
      ' 1,000 ',
      'we ',
      'will ',
      'refund ',
      'refunded ',
      'your order ',
      'was ',
      'you will get ',
      'a hundred ',
      'https',
      'evil',
      '.com',
    ),
    fc.constantFrom('word ', 'plain words here ', '😀', '👩‍💻', '\ud83d', '\u200b', 'ß', 'ANSWER'),
    fc.string({ unit: 'binary', maxLength: 4 }),
  );
  /** What links and markup are made of, so that chance can put one together in a way of its own. */
  const fragment = fc.constantFrom(
    ...['https', 'www', 'evil', 'com', 'example', 'javascript', 'help.fernweh.example', 'returns'],
    ...[':', '/', '//', '.', '@', '\\', '%2F', '%3A', '：', '／', '．', '。', '\u200b', '\u00ad'],
    ...['[', ']', '](', '(', ')', '<', '>', '!', '&#58;', '*', '_', '`', '"', '[9]', ' [9]', '[1]'],
    ...[' ', ' ', '\n', 'a', 'word ', '. ', ': '],
  );
  const joined = (pieces: readonly string[]): string => pieces.join('');
  const text = fc.oneof(
    fc.array(piece, { maxLength: 14 }).map(joined),
    fc.array(fragment, { maxLength: 24 }).map(joined),
  );

  test('what is shown is the same however the text is cut, and never bad', () => {
    fc.assert(
      fc.property(chunked(text), (chunks) => {
        const { prefixes, ...whole } = guarded(chunks);
        const { prefixes: more, ...again } = guarded(units(chunks.join('')));
        expect(again).toEqual(whole);
        expect([...prefixes, ...more].flatMap(badIn)).toEqual([]);
        expect(more.every((prefix) => prefix.isWellFormed())).toBe(true);
        const numbers = [...whole.shown.matchAll(/\[(\d{1,3})\]/g)].map(([, n]) => Number(n));
        expect(numbers.filter((n) => n < 1 || n > 6)).toEqual([]);
        expect([...new Set(numbers)]).toEqual(whole.cited);
      }),
      { numRuns: 300, examples: [[['<https@>']]] },
    );
  });
});
