/*
 * Makes server/assets/redoc from the published package: `node server/assets/make-redoc.ts`.
 * The bundle is changed so that it works offline and under our content security policy:
 * - its logo comes from a file beside it, not from a CDN;
 * - its search worker comes from a file beside it, not from a blob: URL;
 * - it names no source map, which is not there.
 */
import { execFileSync } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';

const version = '2.5.4';
const target = fileURLToPath(new URL('redoc/', import.meta.url));
const bundleName = 'redoc.standalone.js';
const workerName = 'redoc.worker.js';

/** Replaces the only match of `pattern`; another version of ReDoc must be looked at again. */
function replaceOnly(text: string, pattern: RegExp, replacement: string): string {
  const matches = text.match(new RegExp(pattern, 'gs'))?.length ?? 0;
  if (matches !== 1) throw new Error(`${String(pattern)} matches ${matches} times, not once`);
  return text.replace(pattern, () => replacement);
}

const workerPattern = /new Worker\(URL\.createObjectURL\(new Blob\(\[('(?:[^'\\]|\\.)*')\]\)\)/s;

async function make(folder: string): Promise<void> {
  const run = (command: string, ...words: string[]) =>
    execFileSync(command, words, { cwd: folder, encoding: 'utf8' });
  const archive = run('npm', 'pack', `redoc@${version}`, '--silent').trim();
  run('tar', '-xzf', archive);
  const bundles = join(folder, 'package', 'bundles');

  const original = await readFile(join(bundles, bundleName), 'utf8');
  const [, workerText] = workerPattern.exec(original) ?? [];
  const [license] = /[0-9a-f]+\.worker\.js\.LICENSE\.txt/.exec(workerText ?? '') ?? [];
  if (!workerText || !license) throw new Error('The search worker is not where it was.');
  const worker = String(runInNewContext(workerText)).replace(license, `${workerName}.LICENSE.txt`);

  // The files are found beside the bundle, wherever that is served.
  let bundle = `const redocFiles = new URL('.', document.currentScript.src);\n${original}`;
  bundle = replaceOnly(bundle, workerPattern, `new Worker(new URL("${workerName}",redocFiles)`);
  bundle = replaceOnly(
    bundle,
    /"https:\/\/cdn\.redoc\.ly\/redoc\/logo-mini\.svg"/,
    'new URL("logo.svg",redocFiles).href',
  );
  bundle = replaceOnly(bundle, /\n\/\/# sourceMappingURL=\S+\s*$/, '\n');

  await mkdir(target, { recursive: true });
  await writeFile(join(target, bundleName), bundle);
  await writeFile(join(target, workerName), worker);
  await copyFile(join(folder, 'package', 'LICENSE'), join(target, 'LICENSE'));
  await copyFile(
    join(bundles, `${bundleName}.LICENSE.txt`),
    join(target, `${bundleName}.LICENSE.txt`),
  );
  await copyFile(join(bundles, license), join(target, `${workerName}.LICENSE.txt`));
}

const folder = await mkdtemp(join(tmpdir(), 'redoc-'));
try {
  await make(folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}
