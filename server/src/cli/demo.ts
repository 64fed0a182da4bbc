import { loadConfig } from '../config.ts';
import { seedDemo } from '../demo.ts';
import { CommandError } from './failure.ts';
import type { Terminal } from './terminal.ts';
import { withContainer } from './workspace.ts';

/** Fills the workspace with the sample shop; what is there already stays. */
export async function fillWithDemo(terminal: Terminal): Promise<void> {
  const config = loadConfig();
  if (config.environment === 'production') {
    throw new CommandError(
      'production',
      'The demo shop is for development: its logins lie in a file.',
      'In production, make an admin: npm run cli -- users create-admin',
    );
  }
  const logins = await withContainer(config, (container) => seedDemo(container, config.dataDir));
  const width = Math.max(...logins.map(({ email }) => email.length));
  terminal.line('The demo shop is there. Sign in as');
  for (const { role, email, password } of logins) {
    terminal.line(`  ${role.padEnd(9)} ${email.padEnd(width)}  ${password}`);
  }
  terminal.result({ logins });
}
