import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { globSync } from 'node:fs';
import { chown, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../server/test/cli-process.ts';
import { onServer } from '../../server/test/database.ts';
import type { Faults } from '../scenario.ts';
import { becomes } from './desk.ts';

export type PostgresServer = {
  url: string;
  /** Resolves when it answers. */
  start(): Promise<void>;
  /** As when its machine goes away: no farewell, and recovery at the next start. */
  stopImmediately(): Promise<void>;
};

const startWithinMs = 60_000;

/** A PostgreSQL server of the scenario's own, to be taken away and brought back. */
export async function ownPostgres(faults: Faults): Promise<PostgresServer> {
  const folder = await mkdtemp(join(tmpdir(), 'support-faults-postgres-'));
  faults.defer(() => rm(folder, { recursive: true, force: true }));
  const owner = ownerOfServer();
  if (owner) await chown(folder, owner.uid, owner.gid);
  const programs = folderOfPrograms();
  const inFolder = { cwd: folder, ...owner };
  const initdb = ['-D', folder, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C'];
  execFileSync(join(programs, 'initdb'), initdb, { ...inFolder, stdio: 'ignore' });

  const port = await freePort();
  const url = `postgres://postgres@127.0.0.1:${port}/postgres`;
  const settings = ['listen_addresses=127.0.0.1', 'unix_socket_directories='];
  const args = ['-D', folder, '-p', port, ...settings.flatMap((setting) => ['-c', setting])];
  let child: ChildProcess | undefined;

  async function start(): Promise<void> {
    const log = await open(join(faults.folder, 'postgres.log'), 'a');
    const stdio = ['ignore', log.fd, log.fd] as const;
    child = spawn(join(programs, 'postgres'), args, { ...inFolder, stdio: [...stdio] });
    await log.close();
    if (!(await becomes(() => answers(url), startWithinMs))) {
      throw new Error('The own PostgreSQL server does not start.');
    }
  }

  async function stopImmediately(): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGQUIT');
    await ended;
  }

  faults.defer(stopImmediately);
  await start();
  return { url, start, stopImmediately };
}

/** Debian keeps each version in a folder of its own, and has `pg_config` in another package. */
function folderOfPrograms(): string {
  const [found] = globSync('/usr/lib/postgresql/*/bin').sort().reverse();
  return found ?? execFileSync('pg_config', ['--bindir'], { encoding: 'utf8' }).trim();
}

/** PostgreSQL refuses to run as root. */
function ownerOfServer(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (which: string): number =>
    Number(execFileSync('id', [which, 'postgres'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

const answers = (url: string): Promise<boolean> =>
  onServer(url, 'select 1').then(
    () => true,
    () => false,
  );
