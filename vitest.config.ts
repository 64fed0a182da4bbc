import { defineConfig } from 'vitest/config';
import { testDatabaseUrl } from './server/test/services.ts';

const url = await testDatabaseUrl();
const report = process.env['TEST_REPORT'];

const all = ['server/src/**/*.test.ts', 'server/test/**/*.test.ts', 'client/test/**/*.test.ts'];
const pure = ['server/src/platform/**/*.test.ts', '{server,client}/**/*.unit.test.ts'];
/**
 * What also runs on the embedded database where there is a server: all that starts it, and of the
 * rest what depends on its one connection, its lack of NOTIFY and its turns of the event loop.
 */
const onBoth = [
  'server/test/{cli,demo-shop,jobs,personal-data}.test.ts',
  'server/src/features/answers/answers.{test,crash.test,resume.test}.ts',
  'server/src/features/events/events.test.ts',
  'server/src/features/knowledge/knowledge.publishing.test.ts',
  'server/src/features/live/live.test.ts',
  'server/src/features/privacy/retention.test.ts',
  'server/src/features/tickets/*.test.ts',
  'server/src/features/webhooks/webhooks.test.ts',
];
const modules = '**/node_modules/**';

const onDatabase = {
  include: all,
  exclude: [...pure, modules],
  globalSetup: ['server/test/global-setup.ts'],
  // Generous: a machine with other work to do is no failed test.
  testTimeout: 120_000,
  hookTimeout: 120_000,
};

/**
 * Pure code runs once. What depends on a database runs on a PostgreSQL server where there is one, and
 * in part on the embedded database too; without a server all of it runs on the embedded one.
 */
export default defineConfig({
  test: {
    // An embedded database takes 0.8 GB: four of them at a time. Some files mostly wait.
    maxWorkers: 4,
    // Files share what they have imported: no test replaces a module, and each has its own database.
    isolate: false,
    slowTestThreshold: 5_000,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      { test: { name: 'unit', include: pure, exclude: [modules], testTimeout: 30_000 } },
      {
        test: {
          ...onDatabase,
          name: 'embedded',
          ...(url && { include: onBoth }),
        },
      },
      ...(url
        ? [{ test: { ...onDatabase, name: 'postgres', env: { TEST_DATABASE_URL: url } } }]
        : []),
    ],
  },
});
