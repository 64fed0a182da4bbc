import { defineConfig } from 'vitest/config';
import { testDatabaseUrl } from './server/test/services.ts';

const url = await testDatabaseUrl();

const suite = {
  include: ['server/src/**/*.test.ts', 'server/test/**/*.test.ts', 'client/test/**/*.test.ts'],
  globalSetup: ['server/test/global-setup.ts'],
  testTimeout: 30_000,
  hookTimeout: 60_000,
};

/**
 * The same suite on the embedded database and, when there is one, on a PostgreSQL server. Pure code
 * needs no database and runs once.
 */
export default defineConfig({
  test: {
    // An embedded database takes 0.8 GB: two of them at a time.
    maxWorkers: 2,
    projects: [
      { test: { ...suite, name: 'embedded' } },
      ...(url ? [{ test: { ...suite, name: 'postgres', env: { TEST_DATABASE_URL: url } } }] : []),
    ],
  },
});
