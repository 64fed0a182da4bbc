import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { link, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PGlite } from '@electric-sql/pglite';

/** Thrown when another living process has the folder; two openers would corrupt the database. */
export class DataDirInUseError extends Error {
  constructor(folder: string, pid: number) {
    super(
      `Another process (pid ${pid}) is using ${folder}. ` +
        'Stop it first, or give this one its own folder with DATA_DIR.',
    );
    this.name = 'DataDirInUseError';
  }
}

export type EmbeddedDatabase = { pglite: PGlite; release(): Promise<void> };

/**
 * Opens the embedded PostgreSQL in `folder`, creating it when it is missing.
 * PGlite itself has no lock, so the folder is locked first, for the life of this process.
 */
export async function openEmbedded(folder: string): Promise<EmbeddedDatabase> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const unlock = await lockFolder(folder);
  try {
    const home = join(folder, 'database');
    if (!existsSync(home)) await initialise(folder, home);
    return { pglite: await PGlite.create(home), release: unlock };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** A first start that is killed half-way leaves only a folder that nothing will open. */
async function initialise(folder: string, home: string): Promise<void> {
  const unfinished = join(folder, 'database.unfinished');
  await rm(unfinished, { recursive: true, force: true });
  const pglite = await PGlite.create(unfinished);
  await pglite.close();
  await rename(unfinished, home);
}

type Owner = { pid: number; started: string; boot: string };

/** Takes the folder for this process, or throws `DataDirInUseError`. Returns what gives it back. */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, 'lock');
  const me = JSON.stringify(ownerOf(process.pid));
  while (!(await createExclusively(path, me))) {
    const owner = await readOwner(path);
    if (owner && isAlive(owner)) throw new DataDirInUseError(folder, owner.pid);
    await breakStale(path);
  }
  return () => rm(path, { force: true });
}

async function createExclusively(path: string, content: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    await file.writeFile(content);
    await file.close();
    return true;
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
}

/** Only the holder of `lock.break` may remove a stale lock, or two starters could remove each other's. */
async function breakStale(path: string): Promise<void> {
  const breaker = `${path}.break`;
  if (await createExclusively(breaker, String(process.pid))) {
    try {
      const owner = await readOwner(path);
      if (!owner || !isAlive(owner)) await rm(path, { force: true });
    } finally {
      await rm(breaker, { force: true });
    }
    return;
  }
  await delay(50);
  const pid = Number(await readFile(breaker, 'utf8').catch(() => ''));
  if (pid && !processStart(pid)) await rm(breaker, { force: true });
}

async function readOwner(path: string): Promise<Owner | undefined> {
  // A lock without content is one that its maker is about to write: look again shortly.
  for (let look = 0; look < 20; look += 1) {
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text === undefined) return undefined;
    if (text !== '') return JSON.parse(text) as Owner;
    await delay(25);
  }
  return undefined;
}

/** A process id alone is reused, above all in containers: its start time and the boot make it unique. */
const ownerOf = (pid: number): Owner => ({ pid, started: processStart(pid), boot: bootId() });

const isAlive = (owner: Owner): boolean =>
  owner.boot === bootId() && owner.started !== '' && processStart(owner.pid) === owner.started;

function processStart(pid: number): string {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // Field 22, counted behind the command name, which may itself hold spaces and brackets.
      return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && 'code' in error && error.code === code;

/**
 * Writes a secret file once, readable by its owner only, and returns what it holds. The file appears
 * whole or not at all, whoever else makes it at the same moment.
 */
export async function keepSecret(path: string, make: () => string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  // A server on PostgreSQL may be the first to need the folder.
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, make(), { flag: 'wx', mode: 0o600 });
  try {
    await link(draft, path);
  } catch (error) {
    if (!isCode(error, 'EEXIST')) throw error;
  } finally {
    await rm(draft);
  }
  return readFile(path, 'utf8');
}
