import { constants, existsSync } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Config } from '../../config.ts';
import { reasonOf } from '../failure.ts';
import type { Check } from './check.ts';

/** Whether state can be kept: in the folder, or where it will be made. */
export async function checkDataDir(config: Config): Promise<Check[]> {
  const { dataDir, databaseUrl, secretKeys, environment } = config;
  // A production keeps all its state elsewhere: in a container this may well be read-only.
  if (environment === 'production' && databaseUrl && secretKeys.length > 0) return [];
  const name = 'Data folder';
  const exists = existsSync(dataDir);
  try {
    const place = exists ? dataDir : nearestAbove(dataDir);
    if (!(await stat(place)).isDirectory()) throw new Error(`${place} is not a folder`);
    await access(place, constants.W_OK | constants.X_OK);
    return [{ name, ok: true, detail: exists ? dataDir : `${dataDir}, made at the first start` }];
  } catch (error) {
    const fix = 'Let this user write there, or name another folder with DATA_DIR.';
    return [{ name, ok: false, detail: `${dataDir} cannot be written: ${reasonOf(error)}`, fix }];
  }
}

/** Whether tokens are signed with a secret that is one. */
export async function checkSecret({ dataDir, secretKeys }: Config): Promise<Check[]> {
  const name = 'Secret';
  if (secretKeys.length > 0) {
    const more = secretKeys.length > 1 ? `, and ${secretKeys.length - 1} older` : '';
    return [{ name, ok: true, detail: `from SECRET_KEY${more}` }];
  }
  const path = join(dataDir, 'secret-key');
  const file = await stat(path).catch(() => undefined);
  if (!file) return [{ name, ok: true, detail: 'made at the first start' }];
  const isPrivate = (file.mode & 0o077) === 0 || process.platform === 'win32';
  if (isPrivate) return [{ name, ok: true, detail: path }];
  return [{ name, ok: false, detail: `${path} can be read by others`, fix: `chmod 600 ${path}` }];
}

function nearestAbove(path: string): string {
  const above = dirname(path);
  return existsSync(above) ? above : nearestAbove(above);
}
