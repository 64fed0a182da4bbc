import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance } from 'fastify';

export const assetsFolder = fileURLToPath(new URL('../../../assets/', import.meta.url));

const contentTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

export const readPage = (name: string): Promise<string> =>
  readFile(`${assetsFolder}pages/${name}`, 'utf8');

/** Serves a file of server/assets/pages to everybody. */
export async function servePage(
  app: Pick<FastifyInstance, 'get'>,
  url: string,
  name: string,
): Promise<void> {
  const content = await readPage(name);
  const contentType = contentTypes[extname(name)] ?? 'application/octet-stream';
  app.get(url, { config: { policy: 'public' }, schema: { hide: true } }, (_request, reply) =>
    reply.type(contentType).header('cache-control', 'no-cache').send(content),
  );
}
