import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { verifyWebhook } from '../../client/src/webhooks.ts';
import { runCli, runJson } from './cli-process.ts';
import { onServer, withName } from './database.ts';
import { until } from './harness.ts';
import { demoToken, request, startServerProcess, type ServerProcess } from './server-process.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';
import { fillWorkspace, readWorkspace, type Workspace } from './workspace.ts';

const { serverUrl = '' } = inject('databases');
const name = `support_move_${randomBytes(6).toString('hex')}`;
const databaseUrl = serverUrl && withName(serverUrl, name);

describe.skipIf(!serverUrl)('the embedded database moves to a server', () => {
  let dataDir: string;
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
  let server: ServerProcess;
  let env: Record<string, string>;
  let workspace: Workspace;
  let before: Awaited<ReturnType<typeof readWorkspace>>;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'support-move-'));
    receiver = await startWebhookReceiver();
    await onServer(serverUrl, `create database ${name}`);
    // Nothing is delivered and nothing imported before the move.
    env = { DATA_DIR: dataDir, WEBHOOK_ALLOW: receiver.host, RUN_JOBS: 'false' };
    server = await startServerProcess(env);
    workspace = await fillWorkspace(server.url, { dataDir, receiverUrl: receiver.url });
    before = await readWorkspace(server.url, workspace);
  });
  afterAll(async () => {
    await server.stop('SIGTERM');
    await receiver.close();
    await onServer(serverUrl, `drop database if exists ${name} with (force)`);
    await rm(dataDir, { recursive: true, force: true });
  });

  test('but not while a server has it', async () => {
    const { code, body } = await runJson(['move-to', databaseUrl], env);
    expect({ code, body }).toMatchObject({ code: 1, body: { error: { code: 'data-in-use' } } });
    await server.stop('SIGTERM');
  });

  test('and not into one that was not migrated', async () => {
    const { code, body } = await runJson(['move-to', databaseUrl], env);
    expect({ code, body }).toMatchObject({ code: 1, body: { error: { code: 'versions-differ' } } });
    expect((await runCli(['migrate'], { DATABASE_URL: databaseUrl })).code).toBe(0);
  });

  test('whole, with all its rows compared', async () => {
    const { code, stdout, stderr } = await runCli(['move-to', databaseUrl], env);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/✓ public\.webhook_deliveries {2}[1-9]/);
    expect(stdout).toMatch(/✓ pgboss\.job {2}[1-9]/);
    expect(stdout).toContain(`SECRET_KEY="$(cat ${dataDir}/secret-key)"`);
  });

  test('once: a database with rows is no place to move to', async () => {
    const { code, body } = await runJson(['move-to', databaseUrl], env);
    expect({ code, body }).toMatchObject({
      code: 1,
      body: { error: { code: 'target-not-empty' } },
    });
  });

  test('where everything reads as before, with the tokens and passwords of before', async () => {
    server = await startServerProcess({ ...env, DATABASE_URL: databaseUrl });
    expect(await readWorkspace(server.url, workspace)).toEqual(before);
  });

  test('where numbers and positions go on', async () => {
    const question = { title: 'More', description: 'May I return gloves?' };
    const { admin, ticket } = workspace;
    const customer = await demoToken(server.url, dataDir, 'customer');
    const next = await request(server.url, '/tickets', { token: customer, body: question });
    expect(next.number).toBe(ticket.number + 1);
    const { next_after: after } = before['/events?limit=100'];
    const { data } = await until('its events', async () => {
      const feed = await request(server.url, `/events?after=${after}`, { token: admin });
      return feed.data.length > 1 && feed;
    });
    expect(data[0]).toMatchObject({ type: 'ticket.created', subject_id: next.id });
    const first = `/events?after=${after}&limit=1`;
    const { next_after: behindFirst } = await request(server.url, first, { token: admin });
    // In between are the sign-in, and nothing else.
    expect(Number(behindFirst)).toBe(Number(after) + 2);
  });

  test('where deliveries and jobs that waited are done', async () => {
    await server.stop('SIGTERM');
    server = await startServerProcess({ ...env, DATABASE_URL: databaseUrl, RUN_JOBS: 'true' });
    const { admin, ticket, webhookSecret, importId } = workspace;
    const delivered = await until('the delivery', () =>
      receiver.received.find(
        ({ body }) => body.type === 'ticket.created' && body.data.object.id === ticket.id,
      ),
    );
    // Signed with the secret that was sealed before the move.
    const { text, headers } = delivered;
    expect(await verifyWebhook(webhookSecret, headers, text)).toMatchObject({
      type: 'ticket.created',
    });
    await until(
      'the import',
      async () => {
        const { ended_at: endedAt } = await request(server.url, `/articles/imports/${importId}`, {
          token: admin,
        });
        return endedAt !== null;
      },
      30_000,
    );
  });

  test('and what was there is still there', async () => {
    const other = await startServerProcess(env);
    expect(await readWorkspace(other.url, workspace)).toEqual(before);
    await other.stop('SIGTERM');
  });
});
