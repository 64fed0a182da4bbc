import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The records of one file of JSON lines. A file that is absent has none, and is named on stderr: what
 * is measured on it is left out.
 */
export async function readLines<Line>(dataDir: string, name: string): Promise<Line[]> {
  try {
    const text = await readFile(join(dataDir, name), 'utf8');
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as Line);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    process.stderr.write(`  ${name} is not in ${dataDir}: what it measures is left out.\n`);
    return [];
  }
}
