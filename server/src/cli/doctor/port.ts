import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Config } from '../../config.ts';
import { reasonOf } from '../failure.ts';
import type { Check } from './check.ts';

const probeMs = 3_000;
const wildcards = new Set(['0.0.0.0', '::']);

/** Whether the port can be opened, or is open because our own server runs there. */
export async function checkPort({ host, port }: Config): Promise<Check[]> {
  const name = 'Port';
  if (port === 0) return [{ name, ok: true, detail: 'any free one' }];
  const server = await serverAt(wildcards.has(host) ? 'localhost' : host, port);
  if (server)
    return [{ name, ...server, detail: `${port}: our server runs there, ${server.detail}` }];
  try {
    const probe = createServer().listen(port, host);
    await once(probe, 'listening');
    await new Promise((resolve) => probe.close(resolve));
    return [{ name, ok: true, detail: `${port} is free` }];
  } catch (error) {
    return [{ name, ok: false, ...problemOf(error, host, port) }];
  }
}

type Readiness = { status: string; checks: Record<string, { status: string; detail?: string }> };

/** How our own server there is; undefined when there is none. */
async function serverAt(
  host: string,
  port: number,
): Promise<Pick<Check, 'ok' | 'detail' | 'fix'> | undefined> {
  const url = `http://${host.includes(':') ? `[${host}]` : host}:${port}/health/ready`;
  const readiness = await fetch(url, { signal: AbortSignal.timeout(probeMs) })
    .then((reply) => reply.json() as Promise<Partial<Readiness> | null>)
    .catch(() => undefined);
  if (!readiness?.checks) return undefined;
  const problems = Object.entries(readiness.checks)
    .filter(([, { status }]) => status !== 'ok')
    .map(([part, { status, detail }]) => `${part} ${status}${detail ? ` (${detail})` : ''}`);
  if (readiness.status !== 'down') return { ok: true, detail: problems.join(', ') || 'ready' };
  return {
    ok: false,
    detail: problems.join(', '),
    fix: `Look at ${url}, and at the server's log.`,
  };
}

function problemOf(error: unknown, host: string, port: number): Pick<Check, 'detail' | 'fix'> {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  if (code === 'EADDRINUSE') {
    const fix = `Stop the other program, or choose another port: PORT=${port + 1} npm start`;
    return { detail: `${port} is in use by another program`, fix };
  }
  if (code === 'EACCES') {
    return { detail: `${port} is not open to this user`, fix: 'Choose one above 1023 with PORT.' };
  }
  return {
    detail: `${host}:${port} cannot be opened: ${reasonOf(error)}`,
    fix: 'HOST must be an address of this machine, e.g. localhost or 0.0.0.0.',
  };
}
