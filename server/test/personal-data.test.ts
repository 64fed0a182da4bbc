import { afterAll, expect, test } from 'vitest';
import { personalData } from '../personal-data.ts';
import { createTestDatabase } from './database.ts';
import { columnsOf } from './scan.ts';

const testDatabase = await createTestDatabase();
afterAll(() => testDatabase.drop());

/** The records of migrations. */
const isMigrations = (table: string): boolean => table.startsWith('kysely_migration');

test('of every column it is said what becomes of it when a person is erased', async () => {
  const there = (await columnsOf(testDatabase.database.db))
    .filter(({ schema, table }) => schema === 'public' && !isMigrations(table))
    .map(({ table, column }) => `${table}.${column}`);
  const said = Object.entries(personalData).flatMap(([table, fates]) =>
    Object.values(fates).flatMap((columns) =>
      columns.split(' ').map((column) => `${table}.${column}`),
    ),
  );
  expect(said.toSorted()).toEqual(there.toSorted());
});
