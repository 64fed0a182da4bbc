import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

/** Documentation is checked like code: what it names must be there. */

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

/** The articles of the sample shop are data, and ReDoc's licence is somebody else's. */
const notDocs = /(^|\/)(node_modules|dist|coverage|\.[^/]+)(\/|$)|^server\/(demo|assets)\//;
const paths = (await readdir(root, { recursive: true }))
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.md') && !notDocs.test(path))
  .sort();
const pages = await Promise.all(paths.map(async (path) => ({ path, text: await read(path) })));

const withoutCode = (text: string): string =>
  text.replace(/^(`{3,})[^\n]*\n.*?^\1$/gms, '').replace(/`[^`\n]*`/g, '``');

/** Inline code and code blocks, joined. */
const codeOf = (text: string): string =>
  [...text.matchAll(/^(`{3,})[^\n]*\n(.*?)^\1$|`([^`\n]+)`/gms)]
    .map(([, , block, inline]) => block ?? inline ?? '')
    .join('\n');

/** Targets of `[text](target)` and `[name]: target`. */
const linksOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)|^\[[^\]]+\]:\s+(\S+)/gm)].map(
    ([, inline, reference]) => inline ?? reference ?? '',
  );

/** The anchors of a page's headings, as they are made where such pages are shown. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  const headings = text.replace(/^(`{3,})[^\n]*\n.*?^\1$/gms, '').matchAll(/^#{1,6} +(.+?)\s*$/gm);
  for (const [, heading = ''] of headings) {
    const slug = heading
      .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let count = 1; anchors.has(anchor); count += 1) anchor = `${slug}-${count}`;
    anchors.add(anchor);
  }
  return anchors;
}

async function problemOfLink(page: { path: string; text: string }, link: string) {
  if (/^[a-z][a-z+.-]*:/i.test(link)) return undefined;
  const [target = '', anchor] = link.split('#');
  const path =
    target === '' ? page.path : relative(root, resolve(root, dirname(page.path), target));
  if (path.startsWith('..') || !existsSync(join(root, path))) return `${page.path}: ${link}`;
  if (anchor === undefined) return undefined;
  const text = path === page.path ? page.text : await read(path);
  return path.endsWith('.md') && anchorsOf(text).has(anchor) ? undefined : `${page.path}: ${link}`;
}

test('every relative link leads to a file, and every anchor to a heading', async () => {
  const problems = await Promise.all(
    pages.flatMap((page) => linksOf(page.text).map((link) => problemOfLink(page, link))),
  );
  expect(problems.length).toBeGreaterThan(100);
  expect(problems.filter((problem) => problem !== undefined)).toEqual([]);
});

test('every npm script that is named exists', async () => {
  const scriptsOf = async (folder: string): Promise<string[]> => {
    const text = await read(join(folder, 'package.json'));
    return Object.keys((JSON.parse(text) as { scripts?: object }).scripts ?? {}).map(
      (name) => `${folder} ${name}`,
    );
  };
  const scripts = new Set((await Promise.all(['.', 'server', 'client'].map(scriptsOf))).flat());
  const call = /\bnpm (?:run (?:-s )?([\w:-]+)(?: -w (\w+))?|(start|test)\b)/g;
  const named = pages.flatMap(({ path, text }) =>
    [...codeOf(text).matchAll(call)].map(([line, script, folder, short]) => ({
      path,
      line,
      script: `${folder ?? '.'} ${script ?? short}`,
    })),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ script }) => !scripts.has(script))).toEqual([]);
});

test('every command of the command line that is named exists', async () => {
  const commands = [...(await read('server/src/cli.ts')).matchAll(/\.command\('([\w-]+)'\)/g)].map(
    ([, name]) => name,
  );
  const call = /(?:npm run (?:-s )?cli --|server\/src\/cli\.ts) (\w[\w-]*(?: [a-z]+-[a-z]+)?)/g;
  const named = pages.flatMap(({ path, text }) =>
    [...codeOf(text).matchAll(call)].flatMap(([, words = '']) =>
      words.split(' ').map((command) => ({ path, command })),
    ),
  );
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter(({ command }) => !commands.includes(command))).toEqual([]);
});

test('every environment variable that is named is read by the server or the tests', async () => {
  /** Words in capitals that are none. */
  const notVariables = new Set(['NO_ANSWER', 'EMAIL_1', 'DELIVERY_ID', 'WEBHOOK_SECRET']);
  const readers = ['.env.example', 'server/src/config.ts', 'server/test/services.ts'];
  const known = (await Promise.all(readers.map(read))).join('\n');
  const isKnown = (name: string): boolean => new RegExp(`\\b${name}\\b`).test(known);
  const named = pages.flatMap(({ path, text }) =>
    [...codeOf(text).matchAll(/\b(?:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b|[A-Z]{3,}(?==))/g)].map(
      ([name]) => ({ path, name }),
    ),
  );
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter(({ name }) => !notVariables.has(name) && !isKnown(name))).toEqual([]);
});

test('every runtime dependency has its line of reason, and every line its dependency', async () => {
  const { dependencies } = JSON.parse(await read('server/package.json')) as {
    dependencies: Record<string, string>;
  };
  const page = await read('docs/decisions/dependencies.md');
  const names = [...page.matchAll(/^\| `([^`]+)`\s*\| \S.*\|$/gm)].map(([, name]) => name);
  expect(names).toEqual(Object.keys(dependencies).sort());
});

describe('the README', () => {
  const readme = pages.find(({ path }) => path === 'README.md')?.text ?? '';

  test.each(['npm ci && npm start', 'npm ci && npm test'])(
    'has the command line `%s` once, alone in its block',
    (line) => {
      expect(readme.split(line)).toHaveLength(2);
      expect(readme).toContain(`\`\`\`sh\n${line}\n\`\`\``);
    },
  );

  test('has no other way to set it up', () => {
    expect(readme.match(/\bnpm (ci|i|install)\b/g)).toHaveLength(2);
  });
});

test('the walk of one question names every file once, in the features and below', async () => {
  const page = await read('docs/architecture.md');
  const [, walk = ''] = /^## The walk of one question\n(.*?)^## /ms.exec(page) ?? [];
  const files = linksOf(walk).filter((link) => link.endsWith('.ts'));
  expect(files.length).toBeGreaterThan(20);
  expect(new Set(files).size).toBe(files.length);
  for (const file of files) expect(existsSync(join(root, 'docs', file)), file).toBe(true);
});

test('the changelog has the version of the package', async () => {
  const { version } = JSON.parse(await read('package.json')) as { version: string };
  const headings = [...(await read('CHANGELOG.md')).matchAll(/^## \[([^\]]+)\]/gm)];
  expect(headings.map(([, name]) => name).slice(0, 2)).toEqual(['Unreleased', version]);
});
