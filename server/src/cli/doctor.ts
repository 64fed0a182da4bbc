import { loadConfig, type Config } from '../config.ts';
import { checkAssistant } from './doctor/assistant.ts';
import type { Check } from './doctor/check.ts';
import { checkDatabase } from './doctor/database.ts';
import { checkDataDir, checkSecret } from './doctor/files.ts';
import { checkMail } from './doctor/mail.ts';
import { checkPort } from './doctor/port.ts';
import { checkRedis } from './doctor/redis.ts';
import { reasonOf } from './failure.ts';
import type { Terminal } from './terminal.ts';

/** Looks at everything that a server needs, changes nothing, and says what to do. */
export async function examine(terminal: Terminal): Promise<void> {
  const checks: Check[] = [];
  const show = (check: Check): void => {
    checks.push(check);
    const { ok, name, detail, fix } = check;
    const mark = ok ? terminal.style('green', '✓') : terminal.style('red', '✗');
    terminal.line(`  ${mark} ${name.padEnd(nameWidth)}${indented(detail)}`);
    if (fix) terminal.line(`    ${' '.repeat(nameWidth)}${terminal.style('yellow', `→ ${fix}`)}`);
  };
  show({ name: 'Node.js', ok: true, detail: process.version });
  const config = configOrCheck();
  if ('ok' in config) show(config);
  else for (const look of looks) for (const check of await look(config)) show(check);

  const failures = checks.filter(({ ok }) => !ok).length;
  const summary = failures === 1 ? '1 thing needs you.' : `${failures} things need you.`;
  terminal.line(`\n  ${failures === 0 ? 'All is well.' : summary}`);
  terminal.result({ ok: failures === 0, checks });
  if (failures > 0) process.exitCode = 1;
}

const nameWidth = 15;
const looks: ((config: Config) => Promise<Check[]> | Check[])[] = [
  ({ environment }) => [{ name: 'Configuration', ok: true, detail: `for ${environment}` }],
  checkDataDir,
  checkSecret,
  checkDatabase,
  checkRedis,
  checkPort,
  checkAssistant,
  checkMail,
];

function configOrCheck(): Config | Check {
  try {
    return loadConfig();
  } catch (error) {
    return {
      name: 'Configuration',
      ok: false,
      detail: reasonOf(error),
      fix: 'Change these variables in the environment or in .env, then look again.',
    };
  }
}

/** Further lines stand below the first. */
const indented = (detail: string): string =>
  detail.replaceAll('\n', `\n    ${' '.repeat(nameWidth)}`);
