import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { styleText } from 'node:util';
import { CommandError, commandErrorOf } from './failure.ts';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

export type Terminal = ReturnType<typeof createTerminal>;

/** Where a command says what it does: lines for people, or with `--json` one object for programs. */
function createTerminal({ isJson }: { isJson: boolean }) {
  const { stdin, stdout, stderr } = process;
  return {
    isJson,
    /** Whether a person sits there who can be asked. */
    isInteractive: !isJson && stdin.isTTY && stdout.isTTY,
    write: (text: string): void => {
      if (!isJson) stdout.write(text);
    },
    line: (text = ''): void => {
      if (!isJson) stdout.write(`${text}\n`);
    },
    /** The result for programs, once per command. */
    result: (value: object): void => {
      if (isJson) stdout.write(`${JSON.stringify(value, null, 2)}\n`);
    },
    fail({ code, message, hint }: CommandError): void {
      if (isJson) {
        stdout.write(`${JSON.stringify({ error: { code, message, hint } }, null, 2)}\n`);
        return;
      }
      const style = (format: Style, text: string): string =>
        styleText(format, text, { stream: stderr });
      stderr.write(`${style('red', 'Error:')} ${message}\n`);
      if (hint) stderr.write(`${style('dim', hint)}\n`);
    },
    /** Colours only where they can be seen: not into a file, not with NO_COLOR. */
    style: (format: Style, text: string): string => styleText(format, text, { stream: stdout }),
    askSecret,
  };
}

/** Text of others as it may go to a terminal: without the control characters that steer one. */
export const printable = (text: string): string =>
  text.replaceAll(/(?![\n\t])[\p{Cc}\p{Zl}\p{Zp}]/gu, '');

/** Runs a command to its end; expected failures become a line and exit code 1. */
export async function runCommand(
  isJson: boolean,
  work: (terminal: Terminal) => Promise<void>,
): Promise<void> {
  const terminal = createTerminal({ isJson });
  // A reader who has seen enough (`| head`) ends the command.
  process.stdout.once('error', () => process.exit());
  try {
    await work(terminal);
  } catch (error) {
    process.exitCode = 1;
    const failure = commandErrorOf(error);
    if (!failure) console.error(error);
    terminal.fail(failure ?? new CommandError('unexpected', 'This should not happen; see above.'));
  }
}

/** Reads a line without showing it. Throws `CommandError` when it is interrupted. */
async function askSecret(question: string): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  // From here on the terminal shows nothing by itself: only then may somebody begin to type.
  const lines = createInterface({ input: process.stdin, output: nowhere, terminal: true });
  process.stdout.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve);
      // Ctrl+C, Ctrl+D; behind a line it changes nothing.
      lines.once('close', () => reject(new CommandError('interrupted', 'Interrupted.')));
    });
  } finally {
    lines.close();
    process.stdout.write('\n');
  }
}
