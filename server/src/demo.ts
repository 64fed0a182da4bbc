import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Container } from './container.ts';
import type { Actor } from './features/auth/actor.ts';
import { readMarkdown } from './features/knowledge/front-matter.ts';
import { keepSecret } from './platform/database/embedded.ts';
import { transaction } from './platform/database/transaction.ts';
import type { ArticleStatus, Audience, Role } from './tables.ts';

export type DemoLogin = { role: Role; name: string; email: string; password: string };

const articlesFolder = fileURLToPath(new URL('../demo/articles/', import.meta.url));

const people: Omit<DemoLogin, 'password'>[] = [
  { role: 'customer', name: 'Robin Vos', email: 'customer@fernweh.example' },
  { role: 'agent', name: 'Sam Bakker', email: 'agent@fernweh.example' },
  { role: 'admin', name: 'Alex de Wit', email: 'admin@fernweh.example' },
];

/**
 * Fills a development workspace with the sample shop: its people and its articles. What is there
 * already stays, so it can run at every start. Returns the logins, which are random per folder.
 */
export async function seedDemo(container: Container, dataDir: string): Promise<DemoLogin[]> {
  const logins = await keptLogins(dataDir);
  const actors = await Promise.all(logins.map((login) => ensureUser(container, login)));
  const admin = actors.find((actor) => actor.role === 'admin');
  if (admin) await ensureArticles(container, admin);
  return logins;
}

async function keptLogins(dataDir: string): Promise<DemoLogin[]> {
  const make = () =>
    people.map((person) => ({ ...person, password: randomBytes(9).toString('base64url') }));
  const path = join(dataDir, 'demo-logins.json');
  return JSON.parse(await keepSecret(path, () => JSON.stringify(make(), null, 2))) as DemoLogin[];
}

async function ensureUser(
  { database: { db }, users, passwords }: Container,
  { role, name, email, password }: DemoLogin,
): Promise<Actor> {
  const known = await db
    .selectFrom('users')
    .select(['id', 'password_hash'])
    .where('email', '=', email)
    .executeTakeFirst();
  const isCurrent = known && (await passwords.verify(password, known.password_hash ?? undefined));
  const passwordHash = isCurrent ? null : await passwords.hash(password);
  if (known && passwordHash) {
    // The folder with the passwords was deleted, the database was not.
    await db
      .updateTable('users')
      .set({ password_hash: passwordHash })
      .where('id', '=', known.id)
      .execute();
  }
  const user =
    known ??
    (await transaction(db, (db) => users.register(db, { email, name, role, passwordHash })));
  return { id: user.id, role, name, sessionId: '' };
}

async function ensureArticles({ database: { db }, knowledge }: Container, admin: Actor) {
  const known = await db.selectFrom('articles').select('title').execute();
  const titles = new Set(known.map((article) => article.title));
  for (const file of (await readdir(articlesFolder))
    .filter((name) => name.endsWith('.md'))
    .sort()) {
    const article = parseArticle(await readFile(join(articlesFolder, file), 'utf8'));
    if (!titles.has(article.title)) await knowledge.create(admin, article);
  }
}

type FrontMatter = { title: string; tags: string[]; audience: Audience; status: ArticleStatus };

function parseArticle(text: string): FrontMatter & { body: string } {
  const { fields, body } = readMarkdown(text);
  return { ...(fields as FrontMatter), body };
}
