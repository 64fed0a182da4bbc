import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiError, createClient, type Client } from '../../../client/src/client.ts';
import { loadConfig } from '../config.ts';
import { CommandError } from './failure.ts';
import type { Terminal } from './terminal.ts';

export type SignInOptions = { url?: string; email?: string; password?: string };

const probeMs = 5_000;

/** A client of a running server, signed in: as who the options name, or as the demo shop's `role`. */
export async function signIn(
  role: 'customer' | 'admin',
  options: SignInOptions,
  terminal: Terminal,
): Promise<Client> {
  const { dataDir, port } = loadConfig();
  const baseUrl = options.url ?? `http://localhost:${port}`;
  await requireServer(baseUrl);
  const login = await loginOf(role, options, dataDir, terminal);
  const getToken = () => logIn(baseUrl, login, options.email === undefined);
  let token = await getToken();
  return createClient({
    baseUrl,
    // A token lives for ten minutes, and some commands work longer.
    getToken: async (rejected) => (token = rejected === undefined ? token : await getToken()),
  });
}

/** Finds out at once, and not after a client's patience. */
async function requireServer(baseUrl: string): Promise<void> {
  const probe = `${baseUrl.replace(/\/+$/, '')}/api/v1/health-check`;
  const reply = await fetch(probe, { signal: AbortSignal.timeout(probeMs) }).catch(() => undefined);
  if (!reply) {
    throw new CommandError(
      'no-server',
      `No server answers at ${baseUrl}.`,
      'Start it first: npm start',
    );
  }
  const body = (await reply.json().catch(() => undefined)) as { status?: string } | undefined;
  if (reply.ok && body?.status === 'ok') return;
  throw new CommandError(
    'no-server',
    `What answers at ${baseUrl} is not Support Assistant.`,
    'Say where it is with --url, or with PORT.',
  );
}

type Login = { email: string; password: string };

async function loginOf(
  role: 'customer' | 'admin',
  { email, password }: SignInOptions,
  dataDir: string,
  terminal: Terminal,
): Promise<Login> {
  if (email === undefined) return demoLogin(role, dataDir);
  if (password !== undefined) return { email, password };
  if (terminal.isInteractive) {
    return { email, password: await terminal.askSecret(`Password for ${email}: `) };
  }
  throw new CommandError('no-password', 'There is no password.', 'Give it with --password.');
}

async function demoLogin(role: 'customer' | 'admin', dataDir: string): Promise<Login> {
  const path = join(dataDir, 'demo-logins.json');
  const text = await readFile(path, 'utf8').catch(() => '[]');
  const logins = JSON.parse(text) as (Login & { role: string })[];
  const login = logins.find((candidate) => candidate.role === role);
  if (login) return { email: login.email, password: login.password };
  throw new CommandError(
    'no-login',
    `There is no demo login in ${path}.`,
    'Start the server with its demo shop (npm start), or sign in with --email and --password.',
  );
}

async function logIn(baseUrl: string, login: Login, isDemo: boolean): Promise<string> {
  try {
    return (await createClient({ baseUrl }).auth.login(login)).access_token;
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'invalid-credentials') throw error;
    const elsewhere = `The server at ${baseUrl} has another data folder: name it with DATA_DIR.`;
    throw new CommandError(
      error.code,
      `${login.email} cannot sign in: ${error.message}`,
      isDemo ? `${elsewhere} Or sign in with --email and --password.` : undefined,
    );
  }
}
