import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataDirInUseError, keepSecret, lockFolder } from './embedded.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'support-lock-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test('a folder has one owner at a time, and can be taken again after it', async () => {
  const unlock = await lockFolder(folder);
  await expect(lockFolder(folder)).rejects.toThrow(DataDirInUseError);
  await expect(lockFolder(folder)).rejects.toThrow(/pid \d+.*DATA_DIR/);
  await unlock();
  await (
    await lockFolder(folder)
  )();
});

test.each([
  ['of a process that is gone', { pid: 2 ** 22 + 1, started: '1', boot: 'x' }],
  ['of another process with the same id', { pid: process.pid, started: '1', boot: 'x' }],
])('a lock %s is broken', async (_whose, owner) => {
  await writeFile(join(folder, 'lock'), JSON.stringify(owner));
  const unlock = await lockFolder(folder);
  expect(JSON.parse(await readFile(join(folder, 'lock'), 'utf8'))).toMatchObject({
    pid: process.pid,
  });
  await unlock();
});

test('of many who find a stale lock, one gets the folder', async () => {
  await writeFile(join(folder, 'lock'), JSON.stringify({ pid: 0, started: '', boot: '' }));
  const tries = await Promise.allSettled(Array.from({ length: 12 }, () => lockFolder(folder)));
  expect(tries.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
});

test('a secret is the same for all who make it at once, in a folder that was not there', async () => {
  const path = join(folder, 'deep/new/secret');
  const makers = Array.from({ length: 12 }, (_, n) => keepSecret(path, () => `secret ${n}`));
  const [first, ...others] = await Promise.all(makers);
  expect(first).toMatch(/^secret \d+$/);
  expect(new Set(others)).toEqual(new Set([first]));
  expect(await readdir(join(folder, 'deep/new'))).toEqual(['secret']);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(join(folder, 'deep/new'))).mode & 0o777).toBe(0o700);
});
