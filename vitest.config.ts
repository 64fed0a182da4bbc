import { defineConfig } from 'vitest/config';
import { testDatabaseUrl } from './server/test/services.ts';

const url = await testDatabaseUrl();
const report = process.env['TEST_REPORT'];

const all = ['server/src/**/*.test.ts', 'server/test/**/*.test.ts', 'client/test/**/*.test.ts'];
const pure = ['server/src/platform/**/*.test.ts', '{server,client}/**/*.unit.test.ts'];
const modules = '**/node_modules/**';

const onDatabase = {
  include: all,
  exclude: [...pure, modules],
  globalSetup: ['server/test/global-setup.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

/**
 * Pure code runs once; everything else on the embedded database and, when there is one, on a
 * PostgreSQL server too.
 */
export default defineConfig({
  test: {
    // An embedded database takes 0.8 GB: two of them at a time.
    maxWorkers: 2,
    reporters: report ? ['default', ['json', { outputFile: report }]] : ['default'],
    projects: [
      { test: { name: 'unit', include: pure, exclude: [modules] } },
      { test: { ...onDatabase, name: 'embedded' } },
      ...(url
        ? [{ test: { ...onDatabase, name: 'postgres', env: { TEST_DATABASE_URL: url } } }]
        : []),
    ],
  },
});
