import type { FastifyPluginAsync } from 'fastify';
import { servePage } from './pages.ts';

/** The links of a server that has no dashboard yet. */
export const homeRoutes: FastifyPluginAsync = async (app) => {
  await servePage(app, '/', 'home.html');
  await servePage(app, '/home.css', 'home.css');
  await servePage(app, '/favicon.svg', 'icon.svg');
};
