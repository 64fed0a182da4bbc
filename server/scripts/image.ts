import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export const repository = fileURLToPath(new URL('../../', import.meta.url));

/** One line of a Dockerfile, its continuations joined. */
export type Instruction = { name: string; value: string };

/** The Dockerfile's instructions, in order. */
export function readDockerfile(): Instruction[] {
  const text = readFileSync(join(repository, 'Dockerfile'), 'utf8');
  return text
    .replaceAll(/^\s*#.*\n/gm, '')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const [, name = '', value = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
      return { name: name.toUpperCase(), value: value.trim() };
    });
}

/** The words of a CMD in its JSON form; the shell form is refused, it would keep signals from node. */
export const wordsOf = ({ value }: Instruction): string[] =>
  JSON.parse(value.slice(value.indexOf('['))) as string[];

/** `NAME=value NAME=value`, as ENV has it. */
export const variablesOf = ({ value }: Instruction): Record<string, string> =>
  Object.fromEntries(
    value.split(/\s+/).map((pair) => {
      const [name = '', ...rest] = pair.split('=');
      return [name, rest.join('=')];
    }),
  );

/** The parts of compose.yaml that are looked at here, and by its test. */
export type Compose = {
  services: Record<
    string,
    {
      image?: string;
      command?: string[];
      environment?: Record<string, string | number>;
      depends_on?: Record<string, { condition: string }>;
      healthcheck?: { test?: string[]; disable?: boolean };
      stop_grace_period?: string;
      read_only?: boolean;
      user?: string;
      ports?: string[];
      volumes?: string[];
    }
  >;
  volumes: Record<string, unknown>;
};

export const readCompose = (): Compose =>
  parse(readFileSync(join(repository, 'compose.yaml'), 'utf8'), { merge: true }) as Compose;

/** The files that a build sees: what git knows or would add, without what .dockerignore names. */
export function readBuildContext(): string[] {
  const listed = execFileSync('git', ['ls-files', '-z', '-co', '--exclude-standard'], {
    cwd: repository,
    encoding: 'utf8',
  });
  const patterns = readIgnorePatterns();
  return listed.split('\0').filter((path) => path !== '' && !isIgnored(path, patterns));
}

type IgnorePattern = { isException: boolean; matches: RegExp };

export const readIgnorePatterns = (): IgnorePattern[] =>
  readFileSync(join(repository, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => /^[^#\s]/.test(line))
    .map((line) => ({
      isException: line.startsWith('!'),
      matches: expressionOf(line.replace('!', '').trim()),
    }));

/** As Docker has it: the last pattern that matches a path, or a folder that it is in, decides. */
export function isIgnored(path: string, patterns: readonly IgnorePattern[]): boolean {
  const names = path.split('/');
  const paths = names.map((_, index) => names.slice(0, index + 1).join('/'));
  const last = patterns.findLast(({ matches }) => paths.some((part) => matches.test(part)));
  return last !== undefined && !last.isException;
}

/** Docker's globs, in which a star, unlike the shell's, also stands for a dot at the beginning. */
function expressionOf(glob: string): RegExp {
  const meanings: Record<string, string> = {
    '**/': '(.*/)?',
    '**': '.*',
    '*': '[^/]*',
    '?': '[^/]',
  };
  const expression = glob.replaceAll(
    /\*\*\/|\*\*|[*?]|[^*?\w/-]/g,
    (part) => meanings[part] ?? `\\${part}`,
  );
  return new RegExp(`^${expression}$`);
}
