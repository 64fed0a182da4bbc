import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { WorkerQuestion, WorkerReply } from './worker.ts';
import { unlimitedEnv } from '../../server/test/unlimited-env.ts';

export type Worker<Ask, Reply> = {
  pid: number;
  ask(ask: Ask): Promise<Reply>;
  stop(): Promise<void>;
};

export type ServerProcess = {
  pid: number;
  url: string;
  /** From the start of the process until it said that it is ready. */
  readyMs: number;
  stop(): Promise<void>;
};

export type Profile = { dir: string; name: string };

export type Processes = ReturnType<typeof createProcesses>;

const serverMain = new URL('../../server/src/main.ts', import.meta.url);
const endWithParent = fileURLToPath(new URL('end-with-parent.ts', import.meta.url));
const readyWithinMs = 60_000;
const stopWithinMs = 10_000;
/** Short against a start, long against what looking costs the starting process. */
const lookEveryMs = 5;

/** Starts processes, and ends every one of them with the run. */
export function createProcesses() {
  const running = new Set<ChildProcess>();

  function start(path: string, env: NodeJS.ProcessEnv, execArgv: string[]): ChildProcess {
    const child = fork(path, { env, execArgv, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
    running.add(child);
    child.once('exit', () => running.delete(child));
    return child;
  }

  /** Starts a file of the bench that calls `answerQuestions`. */
  function startWorker<Ask, Reply>(url: URL): Worker<Ask, Reply> {
    const child = start(fileURLToPath(url), process.env, []);
    const output = outputOf(child);
    const waiting = new Map<number, PromiseWithResolvers<Reply>>();
    let lastId = 0;
    child.on('message', ({ id, reply, error }: WorkerReply<Reply>) => {
      if (error === undefined) waiting.get(id)?.resolve(reply as Reply);
      else waiting.get(id)?.reject(new Error(error));
      waiting.delete(id);
    });
    child.once('exit', (code) => {
      const error = new Error(`${url.pathname} ended with ${code}:\n${output()}`);
      for (const { reject } of waiting.values()) reject(error);
    });
    return {
      pid: child.pid ?? 0,
      ask(ask) {
        const answer = Promise.withResolvers<Reply>();
        const question: WorkerQuestion<Ask> = { id: (lastId += 1), ask };
        waiting.set(question.id, answer);
        child.send(question);
        return answer.promise;
      },
      stop: () => stop(child, () => child.disconnect()),
    };
  }

  /**
   * Starts a server with nothing but `env` and waits until it is ready: the product, or the `main` of
   * another one that takes `PORT`. With `profile` it writes a CPU profile of that name when it is
   * stopped.
   */
  async function startServer(
    env: Record<string, string>,
    { main = serverMain, profile }: { main?: URL; profile?: Profile } = {},
  ): Promise<ServerProcess> {
    const port = await freePort();
    const startedAt = performance.now();
    const child = start(
      fileURLToPath(main),
      {
        PATH: process.env['PATH'] ?? '',
        HOST: '127.0.0.1',
        PORT: String(port),
        SHUTDOWN_GRACE_MS: '0',
        SHUTDOWN_DRAIN_MS: '0',
        ...unlimitedEnv,
        ...env,
      },
      ['--import', endWithParent, ...(profile ? profiling(profile) : [])],
    );
    const output = outputOf(child);
    const url = `http://127.0.0.1:${port}`;
    while (!(await isReady(url))) {
      if (child.exitCode !== null || performance.now() - startedAt > readyWithinMs) {
        throw new Error(`The server did not get ready:\n${output()}`);
      }
      await delay(lookEveryMs);
    }
    const readyMs = performance.now() - startedAt;
    return { pid: child.pid ?? 0, url, readyMs, stop: () => stop(child, () => child.kill()) };
  }

  return {
    startWorker,
    startServer,
    close(): void {
      for (const child of running) child.kill('SIGKILL');
    },
  };
}

const profiling = ({ dir, name }: Profile): string[] => [
  '--cpu-prof',
  `--cpu-prof-dir=${dir}`,
  `--cpu-prof-name=${name}.cpuprofile`,
];

async function stop(child: ChildProcess, end: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = new Promise((resolve) => child.once('exit', resolve));
  end();
  const timer = setTimeout(() => child.kill('SIGKILL'), stopWithinMs);
  await exited;
  clearTimeout(timer);
}

/** The end of what a process has written, for when it fails. */
function outputOf(child: ChildProcess): () => string {
  let output = '';
  const keep = (bytes: Buffer): void => void (output = (output + bytes.toString()).slice(-4_000));
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => output;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function isReady(url: string): Promise<boolean> {
  try {
    const reply = await fetch(`${url}/health/ready`);
    await reply.arrayBuffer();
    return reply.status === 200;
  } catch {
    return false;
  }
}

const ticksPerSecond = 100;

/** Seconds of CPU that the processes have used so far, in user and system mode. Linux only. */
export function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const fields = statOf(pid).split(' ');
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return ticks.reduce((sum, count) => sum + count, 0) / ticksPerSecond;
}

/** Behind the command's name, which may itself hold spaces and brackets; empty when it has ended. */
function statOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2);
  } catch {
    return '';
  }
}

/** Resident memory in MiB. Linux only. */
export function residentMiB(pid: number): number {
  const [, kiB] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kiB) / 1_024;
}
