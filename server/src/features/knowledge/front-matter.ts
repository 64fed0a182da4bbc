import { parse } from 'yaml';

/** A markdown file: what its front matter says, and its text below. */
export type MarkdownFile = { fields: Record<string, unknown>; body: string };

/** Front matter longer than this is a mistake, or an attack on the parser. */
const frontMatterLengthMax = 2_000;

/**
 * Keys that are no strings take time by the fifth power of their depth, a look for keys that stand
 * twice takes quadratic time, and warnings would print what the file says.
 */
const yamlOptions = { stringKeys: true, uniqueKeys: false, logLevel: 'error' } as const;

const opening = /^\ufeff?---[ \t]*\r?\n/;
const closing = /^(?:---|\.\.\.)[ \t]*\r?$/m;

/** Reads a file that may begin with YAML between two lines of `---`. Throws when that is no YAML map. */
export function readMarkdown(text: string): MarkdownFile {
  const [mark] = opening.exec(text) ?? [];
  const below = text.slice(mark?.length);
  const end = mark === undefined ? null : closing.exec(below);
  if (!end) return { fields: {}, body: text.trim() };
  const yaml = below.slice(0, end.index);
  if (yaml.length > frontMatterLengthMax) {
    throw new Error(`The front matter has more than ${frontMatterLengthMax} characters.`);
  }
  return { fields: fieldsOf(yaml), body: below.slice(end.index + end[0].length).trim() };
}

function fieldsOf(yaml: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = parse(yaml, yamlOptions) ?? {};
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
