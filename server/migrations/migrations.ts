import type { Migrations } from '../src/platform/database/migrate.ts';
import { identity } from './0001-identity.ts';
import { tickets } from './0002-tickets.ts';
import { knowledge } from './0003-knowledge.ts';
import { answers } from './0004-answers.ts';

/** All migrations, in order. */
export const migrations: Migrations = {
  '0001-identity': identity,
  '0002-tickets': tickets,
  '0003-knowledge': knowledge,
  '0004-answers': answers,
};
