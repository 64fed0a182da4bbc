import { fork, type ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort } from '../../server/test/cli-process.ts';
import { unlimitedEnv } from '../../server/test/unlimited-env.ts';
import type { Faults } from '../scenario.ts';

/** A server in a process of its own, at one address for all its lives. */
export type Instance = {
  readonly url: string;
  pid(): number;
  /**
   * Resolves when it is ready, to the milliseconds that it took; with `live` already when it replies,
   * for those who never leave it in peace.
   */
  start(until?: 'ready' | 'live'): Promise<number>;
  /** Resolves to the exit code; null after a kill. */
  stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null>;
};

const main = fileURLToPath(new URL('../../server/src/main.ts', import.meta.url));
const endWithParent = fileURLToPath(
  new URL('../../bench/support/end-with-parent.ts', import.meta.url),
);
/** A single client works harder than a person; but too many requests at once are too many. */
const limitsEnv = { ...unlimitedEnv, REQUESTS_IN_FLIGHT_MAX: '200' };
const readyWithinMs = 60_000;
const lookEveryMs = 10;

export async function createInstance(
  faults: Faults,
  env: Record<string, string>,
): Promise<Instance> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const logPath = join(faults.folder, `instance-${port}.log`);
  let child: ChildProcess | undefined;

  async function start(until = 'ready'): Promise<number> {
    const log = await open(logPath, 'a');
    const startedAt = performance.now();
    const process = fork(main, {
      env: { PATH: pathOfCommands, HOST: '127.0.0.1', PORT: port, ...limitsEnv, ...env },
      execArgv: ['--import', endWithParent],
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    });
    child = process;
    await log.close();
    while ((await statusOf(`${url}/health/${until}`)) !== 200) {
      const isOver = process.exitCode !== null || performance.now() - startedAt > readyWithinMs;
      if (isOver) throw new Error(`An instance did not get ready; see ${logPath}`);
      await delay(lookEveryMs);
    }
    return performance.now() - startedAt;
  }

  async function stop(signal: 'SIGTERM' | 'SIGKILL'): Promise<number | null> {
    const process = child;
    if (!process || process.exitCode !== null || process.signalCode !== null) return null;
    const exited = new Promise<number | null>((resolve) => process.once('exit', resolve));
    process.kill(signal);
    if (signal === 'SIGKILL') faults.countKill();
    return exited;
  }

  faults.defer(() => child?.kill('SIGKILL'));
  return { url, pid: () => child?.pid ?? 0, start, stop };
}

const pathOfCommands = process.env['PATH'] ?? '';

/** Zero when there is no reply. */
export async function statusOf(url: string, request?: RequestInit): Promise<number> {
  try {
    const reply = await fetch(url, request);
    await reply.arrayBuffer();
    return reply.status;
  } catch {
    return 0;
  }
}
