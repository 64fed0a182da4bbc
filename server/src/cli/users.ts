import { randomBytes } from 'node:crypto';
import { loadConfig } from '../config.ts';
import { printable, type Terminal } from './terminal.ts';
import { withContainer } from './workspace.ts';

export type NewAdmin = { email: string; name: string; password?: string };

/** Makes an admin. Without a password one is asked for, or made and shown once. */
export async function createAdmin(person: NewAdmin, terminal: Terminal): Promise<void> {
  const { email, name } = person;
  // Asked for when the database is open: who cannot have it need not think of a password.
  const { user, made } = await withContainer(loadConfig(), async ({ users }) => {
    const given = person.password ?? (await askPassword(email, terminal));
    const made = given ? undefined : randomBytes(15).toString('base64url');
    const user = await users.createAdmin({ email, name, password: made ?? given });
    return { user, made };
  });
  terminal.line(`${printable(user.name)} <${user.email}> is an admin now.`);
  if (made) {
    terminal.line(`Password  ${terminal.style('bold', made)}`);
    terminal.line(terminal.style('dim', 'It is shown only here, and kept nowhere.'));
  }
  const { id, role } = user;
  terminal.result({
    id,
    email: user.email,
    name: user.name,
    role,
    ...(made && { password: made }),
  });
}

const askPassword = (email: string, terminal: Terminal): Promise<string> | string =>
  terminal.isInteractive
    ? terminal.askSecret(`Password for ${email} (empty: one is made for you): `)
    : '';
