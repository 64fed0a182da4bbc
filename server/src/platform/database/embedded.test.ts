import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DataDirInUseError, lockFolder } from './embedded.ts';

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
