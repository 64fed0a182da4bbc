import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import fastifySwaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import { assetsFolder, readPage, servePage } from './pages.ts';

/** The OpenAPI document, and the two pages that show it. */
export const docsRoutes =
  ({ docsUrl }: { docsUrl: string }): FastifyPluginAsync =>
  async (app) => {
    // The routes that the plugins below add cannot name a policy themselves.
    app.addHook('onRoute', (route) => {
      route.config = { ...route.config, policy: 'public' };
    });
    app.get(`${docsUrl}/openapi.json`, { schema: { hide: true } }, (_request, reply) =>
      reply.type('application/json').serializer(JSON.stringify).send(app.swagger()),
    );
    await app.register(pages, { docsUrl });
  };

const pages = async (app: FastifyInstance, { docsUrl }: { docsUrl: string }): Promise<void> => {
  // Both pages write styles into their elements as they run. Nothing else is loosened: ReDoc's
  // search worker is a file of its own (make-redoc.ts), so no `worker-src blob:` either.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    const policy = String(reply.getHeader('content-security-policy'));
    reply.header('content-security-policy', `${policy};style-src 'self' 'unsafe-inline'`);
    done();
  });

  await app.register(fastifySwaggerUi, {
    routePrefix: `${docsUrl}/docs`,
    uiConfig: {
      defaultModelsExpandDepth: 0,
      displayRequestDuration: true,
      filter: true,
      tryItOutEnabled: true,
    },
    logo: { type: 'image/svg+xml', content: await readPage('icon.svg') },
    theme: {
      title: 'Support Assistant · Swagger UI',
      css: [{ filename: 'page.css', content: await readPage('swagger.css') }],
      js: [{ filename: 'page.js', content: await readPage('swagger.js') }],
      favicon: [
        {
          filename: 'icon.svg',
          rel: 'icon',
          sizes: 'any',
          type: 'image/svg+xml',
          content: await readPage('icon.svg'),
        },
      ],
    },
  });

  await servePage(app, `${docsUrl}/redoc`, 'redoc.html');
  await servePage(app, `${docsUrl}/redoc/page.css`, 'redoc.css');
  await servePage(app, `${docsUrl}/redoc/page.js`, 'redoc.js');
  await app.register(fastifyStatic, {
    root: join(assetsFolder, 'redoc'),
    prefix: `${docsUrl}/redoc/`,
    index: false,
    decorateReply: false,
  });
};
