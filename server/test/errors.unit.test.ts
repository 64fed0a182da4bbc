import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { errorStatus } from '../src/errors.ts';

const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
const rows = [...page.matchAll(/^\| `([a-z-]+)` +\| (\d{3}) +\| (\S.*?) +\| (\S.*?) +\|$/gm)];

test('docs/errors.md lists every code with its status, in the order of errors.ts, and no other', () => {
  const listed = rows.map(([, code, status]) => [code, Number(status)]);
  expect(listed).toEqual(Object.entries(errorStatus));
});

test('docs/errors.md says of every code what it means and what to do, in sentences', () => {
  for (const [, code, , meaning, advice] of rows) {
    expect(meaning, code).toMatch(/^[A-Z0-9`].{10,}\.$/);
    expect(advice, code).toMatch(/^[A-Z[].{8,}\.$/);
  }
});

test('every code is named by a test', async () => {
  const root = fileURLToPath(new URL('../', import.meta.url));
  const files = (await readdir(root, { recursive: true })).filter((path) =>
    /^(src|test)\/.*\.test\.ts$/.test(path.replaceAll('\\', '/')),
  );
  const texts = await Promise.all(files.map((path) => readFile(`${root}${path}`, 'utf8')));
  const isNamed = (code: string): boolean => texts.some((text) => text.includes(`'${code}'`));
  expect(Object.keys(errorStatus).filter((code) => !isNamed(code))).toEqual([]);
});
