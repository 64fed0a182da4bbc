import type { FastifyPluginAsync } from 'fastify';
import { servePage } from './pages.ts';

/** The links of a server that has no dashboard yet, and the page behind the links in mails. */
export const homeRoutes: FastifyPluginAsync = async (app) => {
  await servePage(app, '/', 'home.html');
  await servePage(app, '/home.css', 'home.css');
  await servePage(app, '/favicon.svg', 'icon.svg');
  await servePage(app, '/set-password', 'set-password.html');
  await servePage(app, '/set-password.css', 'set-password.css');
  await servePage(app, '/set-password.js', 'set-password.js');
};
