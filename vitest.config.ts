import { defineConfig } from 'vitest/config';
import { testDatabaseUrl } from './server/test/services.ts';

const url = await testDatabaseUrl();
const report = process.env['TEST_REPORT'];

const all = ['server/src/**/*.test.ts', 'server/test/**/*.test.ts', 'client/test/**/*.test.ts'];
const pure = ['server/src/platform/**/*.test.ts', '{server,client}/**/*.unit.test.ts'];
/** What looks at HTTP, the client or the providers, and asks nothing new of a second database. */
const once = [
  'client/test/*.test.ts',
  'server/test/{ai-sdk,authorization,errors,idempotency,if-match,limits,openapi,redis,webhooks-cli}.test.ts',
  'server/src/features/answers/answers.{adversaries,grounding,scenarios}.test.ts',
  'server/src/features/knowledge/imports.crash.test.ts',
  'server/src/features/operations/docs.test.ts',
  'server/src/features/webhooks/webhooks.faults.test.ts',
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
 * Pure code runs once; what depends on the database on the embedded one and, when there is one, on
 * a PostgreSQL server too; the rest on the server, which is faster, or else on the embedded one.
 */
export default defineConfig({
  test: {
    // An embedded database takes 0.8 GB: three of them at a time. Some files mostly wait.
    maxWorkers: 3,
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
          exclude: [...onDatabase.exclude, ...(url ? once : [])],
        },
      },
      ...(url
        ? [{ test: { ...onDatabase, name: 'postgres', env: { TEST_DATABASE_URL: url } } }]
        : []),
    ],
  },
});
