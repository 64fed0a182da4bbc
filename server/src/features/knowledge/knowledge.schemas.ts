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
import type { ArticleRow } from './knowledge.repository.ts';
import type { Passage } from './search.repository.ts';

const statuses = ['draft', 'published', 'archived'] as const;
const audiences = ['public', 'internal'] as const;

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
      created_at: Time,
      updated_at: Time,
      published_at: nullable(Time),
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
      score: Type.Number({ description: 'BM25; comparable within one search only.' }),
    },
    closed,
  ),
);

const fields = {
  title: singleLine(3, 200),
  body: Type.String({ minLength: 1, maxLength: 200_000 }),
  tags: Type.Optional(Type.Array(singleLine(1, 50), { maxItems: 20 })),
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

/** A search result on the wire. */
export const presentPassage = (passage: Passage): Static<typeof SearchResult> => ({
  article_id: passage.article_id,
  title: passage.title,
  heading: passage.heading,
  content: passage.content,
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
  created_at: '2026-11-02T09:00:00.000Z',
  updated_at: '2026-11-02T09:00:00.000Z',
  published_at: '2026-11-02T09:00:00.000Z',
};

export const exampleResult: Static<typeof SearchResult> = {
  article_id: exampleArticle.id,
  title: exampleArticle.title,
  heading: 'Shoes',
  content: 'Try them on indoors only.',
  score: 7.31,
};
