import { execFile, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { onServer, withName } from './database.ts';
import { demoToken, request, startServerProcess } from './server-process.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';
import { fillWorkspace, readWorkspace } from './workspace.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = await readFile(join(root, 'docs/how-to/back-up.md'), 'utf8');

const { serverUrl = '' } = inject('databases');
const hasTools = spawnSync('pg_dump', ['--version']).status === 0;
if (serverUrl && !hasTools) {
  if (process.env['CI']) throw new Error('The test of backups needs pg_dump and pg_restore.');
  console.log('No pg_dump on this machine: the backup of PostgreSQL is not tested.');
}

/** The commands under a heading of the page: to back up, and to restore. */
function commandsOf(heading: string): [backUp: string, restore: string] {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const [backUp, restore, ...more] = [...section.matchAll(/^```sh\n(.*?)^```$/gms)];
  if (!backUp?.[1] || !restore?.[1] || more.length > 0)
    throw new Error(`"${heading}" has changed.`);
  return [backUp[1], restore[1]];
}

let folder: string;
let dataDir: string;
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'support-backup-'));
  dataDir = join(folder, '.data');
  // So that the commands find what they find in the real one, and leave nothing there.
  for (const name of ['package.json', 'server', 'client', 'node_modules']) {
    await symlink(join(root, name), join(folder, name));
  }
  receiver = await startWebhookReceiver();
});
afterAll(async () => {
  await receiver.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (commands: string, env: Record<string, string> = {}) =>
  promisify(execFile)('bash', ['-euc', commands], {
    cwd: folder,
    env: {
      PATH: [dirname(process.execPath), process.env['PATH']].join(delimiter),
      DATA_DIR: dataDir,
      ...env,
    },
  });

const start = (env: Record<string, string> = {}) =>
  startServerProcess({
    DATA_DIR: dataDir,
    WEBHOOK_ALLOW: receiver.host,
    RUN_JOBS: 'false',
    ...env,
  });

async function expectTicketAfter(url: string, number: number): Promise<void> {
  const token = await demoToken(url, dataDir, 'customer');
  const body = { title: 'More', description: 'May I return gloves?' };
  expect((await request(url, '/tickets', { token, body })).number).toBe(number + 1);
}

describe.skipIf(!serverUrl || !hasTools)('a backup of PostgreSQL', () => {
  const names = ['old', 'new'].map((which) => `support_${which}_${randomBytes(6).toString('hex')}`);
  const [oldUrl = '', newUrl = ''] = names.map((name) => serverUrl && withName(serverUrl, name));
  beforeAll(async () => {
    for (const name of names) await onServer(serverUrl, `create database ${name}`);
  });
  afterAll(async () => {
    for (const name of names) {
      await onServer(serverUrl, `drop database if exists ${name} with (force)`);
    }
  });

  test('is made while the server runs, and restored whole into an empty database', async () => {
    const [backUp, restore] = commandsOf('PostgreSQL');
    const old = await start({ DATABASE_URL: oldUrl });
    const workspace = await fillWorkspace(old.url, { dataDir, receiverUrl: receiver.url });
    const before = await readWorkspace(old.url, workspace);
    await run(backUp, { DATABASE_URL: oldUrl });
    await old.stop('SIGTERM');
    const { stdout } = await run(restore, { DATABASE_URL: newUrl });
    expect(stdout).toContain('Up to date: nothing to run.');
    const restored = await start({ DATABASE_URL: newUrl });
    expect(await readWorkspace(restored.url, workspace)).toEqual(before);
    await expectTicketAfter(restored.url, workspace.ticket.number);
    await restored.stop('SIGTERM');
  });
});

describe.skipIf(serverUrl)('a backup of the embedded database', () => {
  test('is made while no server runs, and restored whole', async () => {
    const [backUp, restore] = commandsOf('The embedded database');
    const old = await start();
    const workspace = await fillWorkspace(old.url, { dataDir, receiverUrl: receiver.url });
    const before = await readWorkspace(old.url, workspace);
    await old.stop('SIGTERM');
    await run(backUp);
    await rm(dataDir, { recursive: true });
    await run(restore);
    const restored = await start();
    expect(await readWorkspace(restored.url, workspace)).toEqual(before);
    await expectTicketAfter(restored.url, workspace.ticket.number);
    await restored.stop('SIGTERM');
  });
});
