import { spawn, type ChildProcess } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkRuntime } from './cli-process.ts';
import type { Json } from './reply.ts';
import { unlimitedEnv } from './unlimited-env.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

type Signal = 'SIGINT' | 'SIGTERM' | 'SIGKILL';

/** A server in a process of its own, as `npm start` runs it. */
export type ServerProcess = {
  url: string;
  output(): string;
  /** Sends the signal and resolves to the exit code; null after a kill. */
  stop(signal: Signal): Promise<number | null>;
};

/** Starts a server and waits until it listens. Rejects with its output when it ends before. */
export async function startServerProcess(
  env: Record<string, string>,
  args: string[] = [],
): Promise<ServerProcess> {
  const child = spawn(process.execPath, ['-r', checkRuntime, main, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOST: '127.0.0.1', PORT: '0', ...unlimitedEnv, ...env },
    // Away from a developer's own `.env`.
    cwd: tmpdir(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const url = await new Promise<string>((resolve, reject) => {
    const onOutput = (bytes: Buffer): void => {
      output += bytes.toString();
      const [, found] = /ready at (http:\S+)/.exec(output) ?? [];
      if (found) resolve(found.replace('localhost', '127.0.0.1'));
    };
    child.stdout.on('data', onOutput);
    child.stderr.on('data', onOutput);
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
  return { url, output: () => output, stop: (signal) => stop(child, signal) };
}

async function stop(child: ChildProcess, signal: Signal): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return exited;
}

/** Signs in as a person of the demo shop, over HTTP. */
export async function demoToken(url: string, dataDir: string, role: string): Promise<string> {
  const logins = JSON.parse(await readFile(join(dataDir, 'demo-logins.json'), 'utf8')) as {
    role: string;
    email: string;
    password: string;
  }[];
  const login = logins.find((candidate) => candidate.role === role);
  const { access_token: token } = await request(url, '/auth/login', {
    body: login && { email: login.email, password: login.password },
  });
  return token;
}

/** One JSON request to the API; throws when it is refused. */
export async function request(
  url: string,
  path: string,
  options: { token?: string; body?: unknown } = {},
): Promise<Json> {
  const reply = await fetch(`${url}/api/v1${path}`, {
    method: options.body === undefined ? 'GET' : 'POST',
    headers: {
      ...(options.token && { authorization: `Bearer ${options.token}` }),
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
    },
    body: options.body === undefined ? undefined : JSON.stringify(options.body),
  });
  if (!reply.ok) throw new Error(`${path}: ${reply.status} ${await reply.text()}`);
  return reply.json();
}
