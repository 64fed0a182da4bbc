import { setImmediate as nextTurn } from 'node:timers/promises';
import { Type, type Static } from 'typebox';
import {
  closed,
  Id,
  named,
  nullable,
  oneOf,
  singleLine,
  Time,
} from '../../platform/http/schemas.ts';
import { isSingleLine } from '../../platform/http/single-line.ts';
import type { ImportedArticle } from '../../tables.ts';
import { readMarkdown } from './front-matter.ts';
import type { ImportItem, ImportView } from './imports.service.ts';
import { audiences, limits, statuses } from './knowledge.schemas.ts';

/** Of one request; more files go into several imports. */
export const articlesMax = 2_000;

const pathLengthMax = 500;

export const ArticleImport = named(
  'ArticleImport',
  Type.Object(
    {
      id: Id,
      status: oneOf(['running', 'completed']),
      total: Type.Integer(),
      done: Type.Integer({ description: 'Written: new, or changed.' }),
      skipped: Type.Integer({ description: 'The same as what is there already.' }),
      failed: Type.Integer(),
      errors: Type.Array(Type.Object({ path: Type.String(), message: Type.String() }, closed), {
        description: 'What has failed, at most 100 of them.',
      }),
      created_at: Time,
      ended_at: nullable(Time),
    },
    closed,
  ),
);

export const ImportArticlesBody = Type.Object(
  {
    articles: Type.Array(
      Type.Object(
        {
          path: singleLine(1, pathLengthMax, {
            description: 'Where the file is; the same path again updates the same article.',
          }),
          content: Type.String({ description: 'Markdown with front matter.' }),
        },
        closed,
      ),
      { minItems: 1, maxItems: articlesMax },
    ),
  },
  {
    ...closed,
    examples: [
      {
        articles: [
          {
            path: 'returns/shoes.md',
            content:
              '---\ntitle: How do I return shoes?\ntags: [returns]\n---\nYou have **30 days** from delivery.',
          },
        ],
      },
    ],
  },
);

type Rule = { isGood(value: unknown): boolean; message: string };

/** What each field must be; one that is missing has its default before it is judged. */
const rules: Record<keyof ImportedArticle, Rule> = {
  source: {
    isGood: (value) => isLine(value, [1, pathLengthMax]),
    message: `\`slug\` must be one line of 1 to ${pathLengthMax} characters.`,
  },
  title: {
    isGood: (value) => isLine(value, limits.title),
    message: `The front matter needs a \`title\` of ${limits.title.join(' to ')} characters.`,
  },
  body: {
    isGood: (value) => isText(value, limits.body),
    message: `The text below the front matter must have ${limits.body.join(' to ')} characters.`,
  },
  tags: {
    isGood: (value) =>
      Array.isArray(value) &&
      value.length <= limits.tags &&
      value.every((tag) => isLine(tag, limits.tag)),
    message: `\`tags\` must be a list of at most ${limits.tags} words.`,
  },
  audience: {
    isGood: (value) => (audiences as readonly unknown[]).includes(value),
    message: `\`audience\` must be one of: ${audiences.join(', ')}.`,
  },
  status: {
    isGood: (value) => (statuses as readonly unknown[]).includes(value),
    message: `\`status\` must be one of: ${statuses.join(', ')}.`,
  },
};

const isText = (value: unknown, [min, max]: readonly [number, number]): value is string =>
  typeof value === 'string' && value.length >= min && value.length <= max && isStorable(value);

const isLine = (value: unknown, lengths: readonly [number, number]): boolean =>
  isText(value, lengths) && isSingleLine(value);

/** YAML can spell characters that no JSON body may have. */
const isStorable = (text: string): boolean => !text.includes('\0') && text.isWellFormed();

type ImportFile = { path: string; content: string };

/** What the files say. Each may take a tenth of a second, so that others get their turn between two. */
export async function readItems(files: readonly ImportFile[]): Promise<ImportItem[]> {
  const items: ImportItem[] = [];
  for (const file of files) {
    items.push(readItem(file));
    await nextTurn();
  }
  return items;
}

/** What a file says; a file that is not usable becomes an item that has failed. */
export function readItem({ path, content }: ImportFile): ImportItem {
  try {
    const { fields, body } = readMarkdown(content);
    const article = {
      source: fields['slug'] ?? path,
      title: fields['title'],
      body,
      tags: fields['tags'] ?? [],
      audience: fields['audience'] ?? 'public',
      status: fields['status'] ?? 'published',
    };
    const broken = fieldNames.find((name) => !rules[name].isGood(article[name]));
    if (broken) return { path, message: rules[broken].message };
    return { path, article: article as ImportedArticle };
  } catch (error) {
    return { path, message: error instanceof Error ? error.message : String(error) };
  }
}

const fieldNames = Object.keys(rules) as (keyof ImportedArticle)[];

/** An import on the wire. */
export const presentImport = (view: ImportView): Static<typeof ArticleImport> => ({
  ...view,
  created_at: view.created_at.toISOString(),
  ended_at: view.ended_at?.toISOString() ?? null,
});

export const exampleImport: Static<typeof ArticleImport> = {
  id: '0199f39e-2b1a-7c40-8f13-6b1e9d0a7c55',
  status: 'running',
  total: 25,
  done: 11,
  skipped: 3,
  failed: 1,
  errors: [{ path: 'returns/old.md', message: rules.title.message }],
  created_at: '2026-11-02T09:00:00.000Z',
  ended_at: null,
};
