import { execFileSync } from 'node:child_process';
import { cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { seed } from '../question.ts';
import type { Databases } from './databases.ts';

/** What one must know to read the numbers of a run. */
export type Environment = Awaited<ReturnType<typeof describeEnvironment>>;

const repository = fileURLToPath(new URL('../..', import.meta.url));

export async function describeEnvironment({ query }: Databases) {
  const show = async (setting: string): Promise<string> => {
    const [row] = await query(`select current_setting('${setting}') as value`);
    return String(row?.['value']);
  };
  return {
    at: new Date().toISOString(),
    commit: git('rev-parse', '--short', 'HEAD'),
    uncommittedFiles: git('status', '--porcelain').split('\n').filter(Boolean).length,
    node: process.version,
    postgres: await show('server_version'),
    fsync: await show('fsync'),
    synchronousCommit: await show('synchronous_commit'),
    sharedBuffers: await show('shared_buffers'),
    processor: cpus()[0]?.model ?? '',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    /** Above zero the machine had other work to do. */
    loadBefore: loadavg()[0] ?? 0,
    openFilesMax: Number(execFileSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })),
    seed,
  };
}

function git(...args: string[]): string {
  try {
    return execFileSync('git', args, { cwd: repository, encoding: 'utf8' }).trimEnd();
  } catch {
    return '';
  }
}
