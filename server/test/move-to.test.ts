import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { verifyWebhook } from '../../client/src/webhooks.ts';
import { runCli, runJson } from './cli-process.ts';
import { onServer, withName } from './database.ts';
import { until } from './harness.ts';
import type { Json } from './reply.ts';
import { demoToken, request, startServerProcess, type ServerProcess } from './server-process.ts';
import { startWebhookReceiver } from './webhook-receiver.ts';

const { serverUrl = '' } = inject('databases');
const name = `support_move_${randomBytes(6).toString('hex')}`;
const databaseUrl = serverUrl && withName(serverUrl, name);

/** What can be read of the whole workspace, by an admin. */
const addresses = [
  '/me',
  '/users?limit=100',
  '/tickets?limit=100',
  '/articles?limit=100',
  '/articles/search?q=shoes',
  '/events?limit=100',
  '/audit?limit=100',
  '/webhooks',
  '/settings',
  '/knowledge/gaps',
  '/knowledge/gate',
];

describe.skipIf(!serverUrl)('the embedded database moves to a server', () => {
  let dataDir: string;
  let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>;
  let server: ServerProcess;
  let env: Record<string, string>;
  let admin: string;
  let customer: string;
  let secret: string;
  let importId: string;
  let ticket: Json;
  const before = new Map<string, Json>();

  const paths = (): string[] => [
    ...addresses,
    `/tickets/${ticket.id}`,
    `/tickets/${ticket.id}/messages`,
    `/tickets/${ticket.id}/timeline`,
  ];

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'support-move-'));
    receiver = await startWebhookReceiver();
    await onServer(serverUrl, `create database ${name}`);
    // Nothing is delivered and nothing imported before the move.
    env = { DATA_DIR: dataDir, WEBHOOK_ALLOW: receiver.host, RUN_JOBS: 'false' };
    server = await startServerProcess(env);
    admin = await demoToken(server.url, dataDir, 'admin');
    customer = await demoToken(server.url, dataDir, 'customer');
    const hook = { url: receiver.url, events: ['*'] };
    ({ secret } = await request(server.url, '/webhooks', { token: admin, body: hook }));
    const question = {
      title: 'Returns',
      description: 'How long do I have to return shoes? 👟\n"\\N"',
    };
    ticket = await request(server.url, '/tickets', { token: customer, body: question });
    await until(
      'the answer',
      async () => {
        const { answer } = await request(server.url, `/tickets/${ticket.id}`, { token: customer });
        return answer === null;
      },
      30_000,
    );
    const articles = [{ path: 'zips.md', content: '# Zips\n\nWe mend zips of bags.' }];
    ({ id: importId } = await request(server.url, '/articles/import', {
      token: admin,
      body: { articles },
    }));
    await until('all events to have their place', async () => {
      const { data } = await request(server.url, '/events?limit=100', { token: admin });
      return data.some(({ type }: Json) => type.startsWith('answer.'));
    });
    for (const path of paths()) before.set(path, await request(server.url, path, { token: admin }));
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
    for (const path of paths()) {
      expect(await request(server.url, path, { token: admin }), path).toEqual(before.get(path));
    }
    customer = await demoToken(server.url, dataDir, 'customer');
  });

  test('where numbers and positions go on', async () => {
    const question = { title: 'More', description: 'May I return gloves?' };
    const next = await request(server.url, '/tickets', { token: customer, body: question });
    expect(next.number).toBe(ticket.number + 1);
    const { next_after: after } = before.get('/events?limit=100');
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
    const delivered = await until('the delivery', () =>
      receiver.received.find(
        ({ body }) => body.type === 'ticket.created' && body.data.object.id === ticket.id,
      ),
    );
    // Signed with the secret that was sealed before the move.
    const { text, headers } = delivered;
    expect(await verifyWebhook(secret, headers, text)).toMatchObject({ type: 'ticket.created' });
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
    const ticketThere = await request(other.url, `/tickets/${ticket.id}`, { token: admin });
    expect(ticketThere).toEqual(before.get(`/tickets/${ticket.id}`));
    await other.stop('SIGTERM');
  });
});
