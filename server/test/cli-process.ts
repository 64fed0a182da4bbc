import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';

export const checkRuntime = fileURLToPath(new URL('../scripts/check-runtime.cjs', import.meta.url));
const cli = fileURLToPath(new URL('../src/cli.ts', import.meta.url));

export type Env = Record<string, string>;
type Ended = { code: number | null; stdout: string; stderr: string };

/** Starts the real command, without a terminal; `output` is what it has said so far. */
export function startCli(args: string[], env: Env) {
  const child = spawn(process.execPath, ['-r', checkRuntime, cli, ...args], {
    env: { PATH: process.env['PATH'] ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
  return { output: () => stdout, stop: () => void child.kill(), ended };
}

export const runCli = (args: string[], env: Env): Promise<Ended> => startCli(args, env).ended;

type Check = { name: string; ok: boolean; detail: string; fix?: string };
/** Of the objects that commands print, what the tests read. */
type Body = {
  ok: boolean;
  checks: Check[];
  password: string;
  ticket: { id: string; number: number };
  answer: { id: string; state: string };
};

/** The one object that a command prints with `--json`. */
export async function runJson(
  args: string[],
  env: Env,
): Promise<{ code: number | null; body: Body }> {
  const { code, stdout, stderr } = await runCli([...args, '--json'], env);
  if (stderr !== '') throw new Error(stderr);
  return { code, body: JSON.parse(stdout) as Body };
}

/** A loopback port on which something else listens. */
export async function takePort(): Promise<{ port: string; free(): Promise<void> }> {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port: String(port),
    free: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

export async function freePort(): Promise<string> {
  const { port, free } = await takePort();
  await free();
  return port;
}
