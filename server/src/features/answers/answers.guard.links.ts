import { folded } from './answers.guard.characters.ts';

type Reading = (text: string) => string;

/** How lenient software may read a text. A link must be known in each of these readings. */
const readings: readonly Reading[] = [
  (text) => text,
  (text) => text.replace(/[*_~`\\]/g, ''),
  (text) => text.replaceAll('\\', '/'),
  (text) => decoded(decoded(text)),
];
const decoded = (text: string): string =>
  text.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));

/** `https:` and its slashes stay one link when something put a space between them. */
const joined = (text: string): string => folded(text).replace(/(?<=[:/\\])\s+(?=[/\\])/g, '');

const label = String.raw`[\p{L}\p{M}\p{N}](?:[\p{L}\p{M}\p{N}-]*[\p{L}\p{M}\p{N}])?`;
const host = String.raw`(?:${label}\.)+`;
const likeLink = new RegExp(
  [
    '//',
    String.raw`(?<!\p{L})(?:javascript|vbscript|data|mailto|tel|sms|callto|blob|file|ftp|sftp|ssh|xmpp|whatsapp|intent|market|magnet|skype|tg|viber|view-source|about|chrome):\S`,
    String.raw`(?<![\p{L}\p{N}])www\d?\.\S`,
    String.raw`[^\s@]@${host}\p{L}`,
    'xn--',
    String.raw`${host}\p{L}[\p{L}\p{M}\p{N}-]+\.?(?:[/?#]|:\d)`,
    String.raw`\d{1,3}(?:\.\d{1,3}){3}(?:[/?#]|:\d)`,
    // Without a path only what readers and software take for a site: `Node.js` and `e.g.` are none.
    String.raw`(?<![\p{L}\p{N}.-])${host}(?:com|net|org|info|biz|io|co|ai|app|dev|me|tv|cc|xyz|top|site|online|shop|store|club|live|click|link|page|support|help|pro|eu|de|nl|be|fr|es|it|at|ch|uk|us|ca|au|ie|pl|se|no|dk|fi|pt|cz|ru|cn|in|br|jp|kr|tk|ml|ga|cf|gq|pw|ws|su|to|ly|gg|gl|рф)(?![\p{L}\p{N}-])`,
  ].join('|'),
  'iu',
);

/** Every link has one of these. */
const marks = /[/.:@]|xn--/i;

/** The address of `[text](address)`. */
const destination = /\]\(([^\s()]*(?:\([^\s()]*\)[^\s()]*)*)(\)?)/g;

function linksIn(text: string): string[] {
  const destinations = [...text.matchAll(destination)].map(([, address = '', end]) =>
    end ? address : `${address} …`,
  );
  const words = text.split(/[\s<>[\]]+/);
  return [...destinations, ...words.filter((word) => marks.test(word)).flatMap(linksOfWord)];
}

function linksOfWord(word: string): string[] {
  const scheme = word.search(/(?<![a-z])[a-z][a-z0-9+.-]*:\/\//i);
  const parts = scheme > 0 ? [word.slice(0, scheme), word.slice(scheme)] : [word];
  return parts.map(trimmed).filter((part) => likeLink.test(part));
}

/** Without the marks of the sentence around it. */
function trimmed(word: string): string {
  let text = word.replace(/^["'“‘„«»(*_~`|{]+/, '');
  for (;;) {
    const shorter = text.replace(/["'”’“»«*_~`|}.,:;!?…–—]+$/u, '');
    const closed = shorter.endsWith(')') && !shorter.includes('(') ? shorter.slice(0, -1) : shorter;
    if (closed === text) return text;
    text = closed;
  }
}

/** The same for two ways of writing one link: the scheme and the host in lower case, no last slash. */
const normal = (link: string): string =>
  link
    .replace(/^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#]*/i, (origin) => origin.toLowerCase())
    .replace(/^(?:https:\/\/|mailto:)/, '')
    .replace(/\/$/, '');

/**
 * Finds what must not be shown: a link that stands in no passage and below no allowed address. The
 * host of a known link may be named alone.
 */
export function createLinkRule(texts: readonly string[], allowedUrls: readonly string[]) {
  const source = texts.map(joined).join('\n');
  const known = readings.map((read) => new Set(linksIn(read(source)).map(normal)));
  const names = [...(known[0] ?? [])];
  const hosts = new Set(names.map((name) => name.split(/[/?#]/, 1)[0] ?? ''));
  const allowed = allowedUrls.flatMap((url) => URL.parse(url) ?? []);

  const isAllowed = (link: string): boolean => {
    const url = URL.parse(link) ?? URL.parse(`https://${link}`);
    if (!url || url.origin === 'null' || url.username || url.password) return false;
    // What an allowed page could redirect to, and slashes that another server may see.
    if (/\/\/|\\|%(?:2f|5c)/i.test(url.pathname + url.search + url.hash)) return false;
    return allowed.some(
      ({ origin, pathname }) =>
        url.origin === origin && `${url.pathname}/`.startsWith(pathname.replace(/\/?$/, '/')),
    );
  };
  const isHost = (name: string): boolean => hosts.has(name) || hosts.has(`www.${name}`);

  return {
    /** Characters of the longest link that a passage has. */
    lengthMax: Math.max(0, ...names.map((name) => name.length)),
    /** The first link in a text that must not be shown. */
    find(text: string): string | undefined {
      const source = joined(text);
      const read = readings.map((read) => read(source));
      for (const [at, text] of read.entries()) {
        if (read.indexOf(text) < at) continue;
        const unknown = linksIn(text).find((link) => {
          const name = normal(link);
          return !known[at]?.has(name) && !isHost(name) && !isAllowed(link);
        });
        if (unknown !== undefined) return unknown;
      }
      return undefined;
    },
  };
}
