import pg from 'pg';

const candidates = [
  'postgres://postgres@127.0.0.1:5432/postgres',
  'postgres://127.0.0.1:5432/postgres',
];

/**
 * A PostgreSQL server for the tests: `TEST_DATABASE_URL`, or one on loopback that lets us in. In CI it
 * must be there; elsewhere its absence is one visible line. `none` looks for none.
 */
export async function testDatabaseUrl(): Promise<string | undefined> {
  const named = process.env['TEST_DATABASE_URL'];
  const urls = named ? [named] : candidates;
  for (const url of named === 'none' ? [] : urls) {
    if (await answers(url)) {
      process.env['TEST_DATABASE_URL'] = url;
      return url;
    }
  }
  if (process.env['CI'] || (named && named !== 'none'))
    throw new Error('The tests need a PostgreSQL server, and none answers.');
  console.log('No PostgreSQL server: the suite runs on the embedded database only.');
  return undefined;
}

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
