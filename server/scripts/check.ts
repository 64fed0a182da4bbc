import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/** Runs every `check:…` script of package.json, two at a time, then the tests, and says what failed. */
const root = fileURLToPath(new URL('../../', import.meta.url));
const { scripts } = JSON.parse(await readFile(`${root}package.json`, 'utf8')) as {
  scripts: Record<string, string>;
};
const steps = Object.keys(scripts).filter((name) => name.startsWith('check:'));
const failed: string[] = [];
const startedAt = performance.now();

await Promise.all([runNext(), runNext()]);
console.log('');
const tests = spawn(scripts['test'] ?? '', { cwd: root, shell: true, stdio: 'inherit' });
if ((await exitCode(tests)) !== 0) failed.push('test');

const outcome = failed.length > 0 ? `failed: ${failed.join(', ')}` : 'all is well';
console.log(`\ncheck: ${outcome} (${secondsSince(startedAt)})`);
process.exitCode = failed.length > 0 ? 1 : 0;

async function runNext(): Promise<void> {
  for (let name = steps.shift(); name !== undefined; name = steps.shift()) {
    const since = performance.now();
    const step = spawn(`${scripts[name] ?? ''} 2>&1`, {
      cwd: root,
      shell: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [output, code] = await Promise.all([text(step.stdout), exitCode(step)]);
    const verdict = code === 0 ? 'ok' : 'FAILED';
    console.log(`${name.padEnd(18)} ${verdict.padEnd(6)} ${secondsSince(since).padStart(7)}`);
    if (code !== 0) {
      failed.push(name);
      console.log(output);
    }
  }
}

async function exitCode(child: ReturnType<typeof spawn>): Promise<number> {
  const [code] = (await once(child, 'close')) as [number | null];
  return code ?? 1;
}

function secondsSince(since: number): string {
  return `${((performance.now() - since) / 1_000).toFixed(1)} s`;
}
