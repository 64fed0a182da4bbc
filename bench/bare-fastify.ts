import Fastify from 'fastify';

/* What a process takes in which the framework stands ready and nothing else. */

process.on('disconnect', () => process.exit());
process.on('SIGTERM', () => process.exit());

const app = Fastify();
app.get('/health/ready', () => ({ status: 'ok' }));
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT']) });
