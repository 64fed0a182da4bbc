import { parse } from 'yaml';

/** A markdown file: what its front matter says, and its text below. */
export type MarkdownFile = { fields: Record<string, unknown>; body: string };

/** Front matter longer than this is a mistake, or an attack on the parser. */
const frontMatterLengthMax = 10_000;

const frontMatter = /^\ufeff?---[ \t]*\r?\n(.*?)(?:\r?\n)?^(?:---|\.\.\.)[ \t]*(?:\r?\n|$)/ms;

/** Reads a file that may begin with YAML between two lines of `---`. Throws when that is no YAML map. */
export function readMarkdown(text: string): MarkdownFile {
  const match =
    text.startsWith('---') || text.startsWith('\ufeff---') ? frontMatter.exec(text) : null;
  if (!match) return { fields: {}, body: text.trim() };
  const [whole, yaml = ''] = match;
  if (yaml.length > frontMatterLengthMax) throw new Error('The front matter is too long.');
  return { fields: fieldsOf(yaml), body: text.slice(whole.length).trim() };
}

function fieldsOf(yaml: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(yaml) ?? {};
  } catch (error) {
    const [reason = ''] = error instanceof Error ? error.message.split('\n') : [];
    throw new Error(`The front matter is not valid YAML: ${reason.replace(/:$/, '')}.`, {
      cause: error,
    });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error('The front matter is not a list of names with values.');
  }
  return value as Record<string, unknown>;
}
