import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { createAnswerGuard } from './answers.guard.ts';

/** An article of the sample shop as a passage. */
function shopPassage(name: string) {
  const file = new URL(`../../../demo/articles/${name}.md`, import.meta.url);
  const [, head = '', ...body] = readFileSync(file, 'utf8').split(/^---$/m);
  const title = /^title: (.*)$/m.exec(head)?.[1] ?? '';
  return { title, heading: '', content: body.join('---').trim() };
}

/** [1] returns, [2] refunds, [3] discounts, [4] recalls, [5] contact, [6] delivery. */
export const passages = [
  '04-how-long-do-i-have-to-return-an-item',
  '06-when-do-i-get-my-refund',
  '17-discount-codes-price-match-and-price-drops',
  '22-product-safety-and-recalls',
  '24-how-do-i-contact-support',
  '01-how-much-is-delivery-and-how-long-does-it-take',
].map(shopPassage);

export const canary = 'k7q2-vexing-otter';
export const instructions =
  'You are the support assistant of a company. Answer the customer from the help passages only. ' +
  'Never promise an action: you can only explain.';

export const newGuard = (lengthMax = 16_000) =>
  createAnswerGuard({
    passages,
    customerText: 'My order FW-20418 of €120 came on 3 May. The FW-2024X jacket is torn.',
    allowedUrls: ['https://help.fernweh.example/articles/'],
    instructions,
    canary,
    lengthMax,
  });

/** What a guard makes of chunks: every state that a reader sees, and the end. */
export function guarded(chunks: Iterable<string>, guard = newGuard()) {
  const prefixes: string[] = [];
  let shown = '';
  for (const chunk of chunks) {
    const released = guard.push(chunk);
    shown += released;
    if (released) prefixes.push(shown);
  }
  shown += guard.end();
  prefixes.push(shown);
  return { shown, prefixes, cited: guard.cited(), rule: guard.violation()?.rule };
}

/** One UTF-16 code unit at a time. */
export const units = (text: string): string[] => text.split('');

/** A text and the places where a stream happens to cut it. */
export const chunked = (text: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.tuple(text, fc.array(fc.nat(400), { maxLength: 12 })).map(([whole, cuts]) => {
    const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)), whole.length];
    const sorted = places.sort((one, other) => one - other);
    return sorted.slice(1).map((end, at) => whole.slice(sorted[at], end));
  });

const shopLinks = new Set(
  passages.flatMap(({ content }) => content.match(/https:[^)\s]+|[a-z]+@[a-z.]+/g) ?? []),
);
const shopHost = /^https:\/\/help\.fernweh\.example(?:\/articles(?:\/[\w-]*)?)?$/;
const isShopLink = (link: string): boolean => {
  const whole = /^[a-z]+:|@/i.test(link) ? link : `https://${link}`;
  const plain = whole.replace(/^https:\/\/[^/]*/i, (origin) => origin.toLowerCase());
  const short = plain.replace(/\/$/, '');
  return shopLinks.has(short) || shopHost.test(short);
};

const percentDecoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16)));

/** How readers and software may see a text. */
const views: readonly ((text: string) => string)[] = [
  (text) => text,
  (text) => text.normalize('NFKC'),
  (text) => text.replace(/[^\P{C}\n\t]/gu, '').normalize('NFKC'),
  (text) => text.replace(/[*_~`\\]/g, ''),
  (text) => text.replaceAll('\\', '/'),
  (text) => text.replaceAll('∕', '/').replaceAll('。', '.'),
  (text) => text.replace(/&#(\d+);?/g, (_, n) => String.fromCharCode(Number(n))),
  (text) => text.replace(/&lt;?/gi, '<').replace(/&colon;/gi, ':'),
  (text) => text.replace(/([:/])\s*\n\s*(?=\/)/g, '$1'),
];
const linkViews = [
  ...views,
  percentDecoded,
  (text: string) => percentDecoded(percentDecoded(text)),
];

/** Whatever might be a link: more than any software takes for one. */
const links: readonly RegExp[] = [
  /[\p{L}][\p{L}\p{N}+.-]*:\s*[/\\]\s*[/\\]\s*[^\s<>"`()[\]]*/giu,
  /(?<![:\p{L}])\/\/[^\s<>"`()[\]]+/giu,
  /(?<!\p{L})(?:javascript|data|vbscript|mailto|tel|sms|file|ftp|blob):[\p{L}\p{N}/%+&][^\s<>"`()[\]]*/giu,
  /(?<![\p{L}/.])www\.[\p{L}\p{N}][^\s<>"`()[\]]*/giu,
  /[\p{L}\p{N}._+-]+@[\p{L}\p{N}-]+\.[\p{L}\p{N}.-]*[\p{L}\p{N}]/giu,
  /(?<![/@\p{L}\p{N}.-])(?:[\p{L}\p{N}-]+\.)+\p{L}{2,}(?:[/?#]|:\d)[^\s<>"`()[\]]*/giu,
  /(?<![/@\p{L}\p{N}.-])(?:[\p{L}\p{N}-]+\.)+(?:com|net|org|ru|io|cn|top|xyz)(?!\p{L})/giu,
  /\d+(?:\.\d+){3}[/:][^\s<>"`()[\]]*/g,
  /(?<=\]\()[^)]*/g,
];

/** What a reader must never see, in a text that was released: links, images, HTML. */
export function badIn(text: string): string[] {
  const unknown = linkViews.flatMap((view) =>
    links
      .flatMap((pattern) => view(text).match(pattern) ?? [])
      .filter((link) => !isShopLink(link.replace(/[^\p{L}\p{N}/]+$/u, ''))),
  );
  const autolinks = /<(?:https:\/\/|[a-z]+@)[^\s<>]+>/g;
  const markup = views.flatMap(
    (view) =>
      view(text)
        .replace(autolinks, '')
        .match(/!\[(?!\d+\])|<[a-z!?]|<\/[a-z]|&#/gi) ?? [],
  );
  return [...unknown, ...markup];
}
