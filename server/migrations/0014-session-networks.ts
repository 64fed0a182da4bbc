import { statements } from './statements.ts';

/* Where a session was begun: who guesses passwords elsewhere must not lock its user out. */
export const sessionNetworks = statements(`
  alter table sessions add column network text;
`);
