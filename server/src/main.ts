import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError, loadConfig, type Config } from './config.ts';
import { seedDemo, type DemoLogin } from './demo.ts';
import { DataDirInUseError } from './platform/database/embedded.ts';
import { createLogger, openDatabase } from './resources.ts';
import { createServer, type Server } from './server.ts';

/** A provider that has not answered by now is reported, not waited for. */
const providerCheckMs = 10_000;

async function start(): Promise<void> {
  const config = loadConfig();
  const startedAt = performance.now();
  const logger = createLogger(config);
  const database = await openDatabase(config);
  const server = await createServer(config, database, logger);
  const wantsDemo = config.demo && !process.argv.includes('--no-demo');
  const logins = wantsDemo ? await seedDemo(server.container, config.dataDir) : [];
  stopOnSignals(config, server);
  await server.app.listen({ host: config.host, port: config.port });
  if (config.environment === 'development') {
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    console.log(welcome(config, server, logins, seconds));
  }
  void checkProviders(server);
}

function welcome(config: Config, { app }: Server, logins: DemoLogin[], seconds: string): string {
  const address = app.server.address();
  const port = typeof address === 'object' && address ? address.port : config.port;
  const url = `http://localhost:${port}`;
  const [first] = config.ai.chain;
  const assistant =
    first?.provider === 'extractive' || !first
      ? 'quotes the articles (no key set; GROQ_API_KEY lets a model write)'
      : `${first.provider}, ${first.model}`;
  const database = config.databaseUrl
    ? `PostgreSQL at ${new URL(config.databaseUrl).host}`
    : `embedded PostgreSQL in ${config.dataDir}`;
  const width = Math.max(...logins.map(({ email }) => email.length));
  return [
    '',
    `  Support Assistant is ready at ${url} (in ${seconds} s)`,
    '',
    `  Swagger UI   ${url}/api/v1/docs`,
    `  ReDoc        ${url}/api/v1/redoc`,
    `  Database     ${database}`,
    `  Assistant    ${assistant}`,
    ...(logins.length > 0
      ? [
          '',
          '  Demo shop, sign in as',
          ...logins.map(
            ({ role, email, password }) =>
              `    ${role.padEnd(9)} ${email.padEnd(width)}  ${password}`,
          ),
          '',
          '  Ask it something, in another terminal:',
          '    npm run cli -- ask "How long do I have to return shoes?"',
        ]
      : []),
    '',
    '  Ctrl+C stops it.',
    '',
  ].join('\n');
}

/** A model that is gone is found here and shown by /health/ready; it never delays the start. */
async function checkProviders({ container }: Server): Promise<void> {
  for (const provider of container.providers) {
    const problem = await provider
      .check({ signal: AbortSignal.timeout(providerCheckMs) })
      .catch(String);
    if (problem) console.error(`  Warning: ${problem}`);
  }
}

/** Some shells deliver one Ctrl+C twice, to npm and through it; a person is not that quick. */
const oneSignalMs = 1_000;

/** Beyond the grace and the drain: what hangs then is left to other instances, or to the next start. */
const stopMsMax = 5_000;

/**
 * The first signal stops cleanly: unready at once, a grace to be noticed, then the drain. Another one
 * ends the process at once.
 */
function stopOnSignals(config: Config, server: Server): void {
  let stoppingSince: number | undefined;
  const stop = async (): Promise<void> => {
    const now = performance.now();
    if (stoppingSince !== undefined && now - stoppingSince > oneSignalMs) process.exit(130);
    if (stoppingSince !== undefined) return;
    stoppingSince = now;
    const { graceMs, drainMs } = config.shutdown;
    setTimeout(
      () => {
        console.error('Stopping takes too long; what is under way is broken off.');
        process.exit(1);
      },
      graceMs + drainMs + stopMsMax,
    ).unref();
    server.container.operations.startDraining();
    await delay(graceMs);
    await server.stop();
    process.exit(0);
  };
  const onSignal = (): void =>
    void stop().catch((error: unknown) => {
      console.error('Stopping failed.', error);
      process.exit(1);
    });
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
}

function explain(error: unknown): string | undefined {
  if (error instanceof ConfigError || error instanceof DataDirInUseError) return error.message;
  if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    return 'The port is in use already. Choose another one with PORT, e.g. PORT=8001 npm start';
  }
  return undefined;
}

await start().catch((error: unknown) => {
  console.error(explain(error) ?? error);
  process.exit(1);
});
