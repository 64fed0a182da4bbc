import { until } from './harness.ts';
import type { Json } from './reply.ts';
import { demoToken, request } from './server-process.ts';

/** What stands in a workspace, for those who look whether all of it is still there elsewhere. */
export type Workspace = { admin: string; ticket: Json; webhookSecret: string; importId: string };

/** Fills a server that has the demo shop: a question with its answer, a webhook, an import. */
export async function fillWorkspace(
  url: string,
  { dataDir, receiverUrl }: { dataDir: string; receiverUrl: string },
): Promise<Workspace> {
  const admin = await demoToken(url, dataDir, 'admin');
  const customer = await demoToken(url, dataDir, 'customer');
  const hook = { url: receiverUrl, events: ['*'] };
  const { secret } = await request(url, '/webhooks', { token: admin, body: hook });
  const question = {
    title: 'Returns',
    description: 'How long do I have to return shoes? 👟\n"\\N" \\t {}',
  };
  const ticket = await request(url, '/tickets', { token: customer, body: question });
  const articles = [{ path: 'zips.md', content: '# Zips\n\nWe mend zips of bags.' }];
  const body = { articles };
  const { id: importId } = await request(url, '/articles/import', { token: admin, body });
  await until(
    'the answer, and the place of its event',
    async () => {
      const feed = await request(url, `/events?limit=100&type=answer.completed`, { token: admin });
      return feed.data.length > 0;
    },
    30_000,
  );
  return { admin, ticket, webhookSecret: secret, importId };
}

/** All that an admin can read of it, by address. */
export async function readWorkspace(url: string, { admin, ticket }: Workspace) {
  const addresses = [
    '/me',
    '/users?limit=100',
    '/tickets?limit=100',
    `/tickets/${ticket.id}`,
    `/tickets/${ticket.id}/messages`,
    `/tickets/${ticket.id}/timeline`,
    '/articles?limit=100',
    '/articles/search?q=shoes',
    '/events?limit=100',
    '/audit?limit=100',
    '/webhooks',
    '/settings',
    '/knowledge/gaps',
    '/knowledge/gate',
  ];
  const replies: Record<string, Json> = {};
  for (const address of addresses) replies[address] = await request(url, address, { token: admin });
  return replies;
}
