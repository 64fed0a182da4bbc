import { Type, type Static } from 'typebox';
import {
  closed,
  Id,
  named,
  nullable,
  oneOf,
  pageQuery,
  singleLine,
  Time,
} from '../../platform/http/schemas.ts';
import type { ArticleRow, ArticleVersionRow } from './knowledge.repository.ts';
import type { FoundPassage } from './knowledge.service.ts';

export const statuses = ['draft', 'published', 'archived'] as const;
export const audiences = ['public', 'internal'] as const;

export const Article = named(
  'Article',
  Type.Object(
    {
      id: Id,
      title: Type.String(),
      body: Type.String({ description: 'Markdown.' }),
      tags: Type.Array(Type.String()),
      audience: oneOf(audiences, { description: '`internal` articles are for staff only.' }),
      status: oneOf(statuses),
      version: Type.Integer({ description: 'The ETag.' }),
      published_version: nullable(
        Type.Integer({ description: 'What is searched and quoted; null when nothing is.' }),
      ),
      source: nullable(Type.String({ description: 'What an import knows the article by.' })),
      created_at: Time,
      updated_at: Time,
      published_at: nullable(Time),
    },
    closed,
  ),
);

export const ArticleVersion = named(
  'ArticleVersion',
  Type.Object(
    {
      article_id: Id,
      version: Type.Integer(),
      title: Type.String(),
      body: Type.String({ description: 'Markdown.' }),
      tags: Type.Array(Type.String()),
      audience: oneOf(audiences),
      created_by: nullable(Id),
      created_at: Time,
    },
    closed,
  ),
);

export const SearchResult = named(
  'SearchResult',
  Type.Object(
    {
      article_id: Id,
      title: Type.String(),
      heading: Type.String(),
      content: Type.String(),
      snippet: Type.Array(Type.Object({ text: Type.String(), match: Type.Boolean() }, closed), {
        description: 'The best place in the content; `match`: a word of the question.',
      }),
      score: Type.Number({
        description: 'The higher the better; comparable within one search only.',
      }),
    },
    closed,
  ),
);

/** Lengths in characters. */
export const limits = {
  title: [3, 200],
  body: [1, 200_000],
  tag: [1, 50],
  tags: 20,
} as const;

const fields = {
  title: singleLine(...limits.title),
  body: Type.String({ minLength: limits.body[0], maxLength: limits.body[1] }),
  tags: Type.Optional(Type.Array(singleLine(...limits.tag), { maxItems: limits.tags })),
  audience: Type.Optional(oneOf(audiences)),
  status: Type.Optional(
    oneOf(statuses, { description: 'Only admins publish, archive, and change what is published.' }),
  ),
};

export const CreateArticleBody = Type.Object(fields, {
  ...closed,
  examples: [
    {
      title: 'How long do I have to return an item?',
      body: 'You have **30 days** from delivery.\n\n## Shoes\n\nTry them on indoors only.',
      status: 'published',
    },
  ],
});

export const UpdateArticleBody = Type.Partial(Type.Object(fields), {
  ...closed,
  minProperties: 1,
  examples: [{ status: 'archived' }],
});

/** A version that is no number is a version that is not there. */
export const VersionParams = Type.Object(
  { id: Id, version: Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }) },
  closed,
);

export const ListArticlesQuery = Type.Object(
  {
    ...pageQuery,
    status: Type.Optional(Type.Array(oneOf(statuses), { minItems: 1, maxItems: 3 })),
  },
  closed,
);

export const SearchQuery = Type.Object(
  {
    q: Type.String({ minLength: 1, maxLength: 500 }),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 20, default: 5 })),
  },
  closed,
);

/** An article on the wire. */
export const presentArticle = (article: ArticleRow): Static<typeof Article> => ({
  ...article,
  created_at: article.created_at.toISOString(),
  updated_at: article.updated_at.toISOString(),
  published_at: article.published_at?.toISOString() ?? null,
});

/** A version on the wire. */
export const presentVersion = (version: ArticleVersionRow): Static<typeof ArticleVersion> => ({
  ...version,
  created_at: version.created_at.toISOString(),
});

/** A search result on the wire. */
export const presentPassage = (passage: FoundPassage): Static<typeof SearchResult> => ({
  article_id: passage.article_id,
  title: passage.title,
  heading: passage.heading,
  content: passage.content,
  snippet: passage.snippet,
  score: passage.score,
});

export const exampleArticle: Static<typeof Article> = {
  id: '0199f39e-11c7-7d88-a0c5-5f7e3b1d9044',
  title: 'How long do I have to return an item?',
  body: 'You have **30 days** from delivery.',
  tags: ['returns'],
  audience: 'public',
  status: 'published',
  version: 1,
  published_version: 1,
  source: null,
  created_at: '2026-11-02T09:00:00.000Z',
  updated_at: '2026-11-02T09:00:00.000Z',
  published_at: '2026-11-02T09:00:00.000Z',
};

export const exampleVersion: Static<typeof ArticleVersion> = {
  article_id: exampleArticle.id,
  version: 1,
  title: exampleArticle.title,
  body: exampleArticle.body,
  tags: exampleArticle.tags,
  audience: 'public',
  created_by: '0199f39d-7a01-7c2e-9b1d-3f1c6f8e2a10',
  created_at: '2026-11-02T09:00:00.000Z',
};

export const exampleResult: Static<typeof SearchResult> = {
  article_id: exampleArticle.id,
  title: exampleArticle.title,
  heading: 'Shoes',
  content: 'Try them on indoors only.',
  snippet: [
    { text: 'Try them on ', match: false },
    { text: 'indoors', match: true },
    { text: ' only.', match: false },
  ],
  score: 7.31,
};
