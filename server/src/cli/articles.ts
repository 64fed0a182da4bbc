import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  ApiError,
  ConnectionError,
  type ArticleFile,
  type ArticleImport,
  type Client,
} from '../../../client/src/client.ts';
import { refuseRepeated } from '../features/knowledge/imports.repeated.ts';
import { readItem } from '../features/knowledge/imports.schemas.ts';
import { CommandError } from './failure.ts';
import { signIn, type SignInOptions } from './sign-in.ts';
import { printable, type Terminal } from './terminal.ts';

/** What goes into one request: the server takes 2,000 files and 20 MiB, in which quotes are escaped. */
const filesMax = 2_000;
const lengthMax = 12 * 1024 * 1024;
const pollMs = 200;
/** The server keeps what it was sent: while it restarts there is only nobody to ask. */
const outageMsMax = 60_000;

type Counts = Pick<ArticleImport, 'done' | 'skipped' | 'failed' | 'errors'>;

/** Imports every markdown file below the folder, and shows how far the server is. */
export async function importArticles(
  folder: string,
  options: SignInOptions,
  terminal: Terminal,
): Promise<void> {
  const files = await readFiles(folder);
  if (files.length === 0) {
    throw new CommandError(
      'no-files',
      `There are no markdown files in ${folder}.`,
      'They end in .md or .markdown.',
    );
  }
  const client = await signIn('admin', options, terminal);
  const progress = createProgress(files.length, terminal);
  const { distinct, repeated } = findRepeated(files);
  let before: Counts = { done: 0, skipped: 0, failed: repeated.length, errors: repeated };
  for (const batch of batchesOf(distinct)) {
    before = await importBatch(client, batch, before, progress.show);
  }
  progress.end();
  showEnd(before, terminal);
  terminal.result({ total: files.length, ...before });
  if (before.failed > 0) process.exitCode = 1;
}

async function readFiles(folder: string): Promise<ArticleFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.(md|markdown)$/i.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Promise.all(
    paths.map(async (path) => ({
      path: relative(folder, path).split(sep).join('/'),
      content: await readFile(path, 'utf8'),
    })),
  );
}

/** The server looks for files of one article within each request only. */
function findRepeated(files: readonly ArticleFile[]): {
  distinct: ArticleFile[];
  repeated: Counts['errors'];
} {
  const items = files.map(readItem);
  const repeated = refuseRepeated(items).flatMap((item, at) =>
    item !== items[at] && 'message' in item ? [item] : [],
  );
  const paths = new Set(repeated.map(({ path }) => path));
  return { distinct: files.filter(({ path }) => !paths.has(path)), repeated };
}

function* batchesOf(files: readonly ArticleFile[]): Generator<ArticleFile[]> {
  let batch: ArticleFile[] = [];
  let length = 0;
  for (const file of files) {
    if (
      batch.length === filesMax ||
      (batch.length > 0 && length + file.content.length > lengthMax)
    ) {
      yield batch;
      batch = [];
      length = 0;
    }
    batch.push(file);
    length += file.content.length;
  }
  if (batch.length > 0) yield batch;
}

async function importBatch(
  client: Client,
  files: ArticleFile[],
  before: Counts,
  show: (counts: Counts) => void,
): Promise<Counts> {
  let state = await client.articles.import(files);
  for (;;) {
    const counts = sumOf(before, state);
    show(counts);
    if (state.status === 'completed') return counts;
    await delay(pollMs);
    state = await askAgain(client, state.id);
  }
}

async function askAgain(client: Client, id: string): Promise<ArticleImport> {
  const giveUpAt = Date.now() + outageMsMax;
  for (;;) {
    try {
      return await client.articles.getImport(id);
    } catch (error) {
      const isAway =
        error instanceof ConnectionError || (error instanceof ApiError && error.status === 503);
      if (!isAway || Date.now() > giveUpAt) throw error;
      await delay(pollMs);
    }
  }
}

const sumOf = (one: Counts, other: Counts): Counts => ({
  done: one.done + other.done,
  skipped: one.skipped + other.skipped,
  failed: one.failed + other.failed,
  errors: [...one.errors, ...other.errors],
});

const barWidth = 30;

/** A bar that moves where somebody looks, otherwise a line for every tenth. */
function createProgress(total: number, terminal: Terminal) {
  let tenths = 0;
  return {
    show({ done, skipped, failed }: Counts): void {
      const ended = done + skipped + failed;
      if (terminal.isInteractive) {
        const filled = Math.round((barWidth * ended) / total);
        const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
        terminal.write(`\r  ${bar} ${ended} of ${total}`);
        return;
      }
      const reached = Math.floor((10 * ended) / total);
      if (reached > tenths) terminal.line(`  ${ended} of ${total}`);
      tenths = reached;
    },
    end(): void {
      if (terminal.isInteractive) terminal.line();
    },
  };
}

function showEnd({ done, skipped, failed, errors }: Counts, terminal: Terminal): void {
  for (const { path, message } of errors) {
    const mark = terminal.style('red', '✗');
    terminal.line(`  ${mark} ${printable(path)}: ${printable(message)}`);
  }
  const unseen = failed - errors.length;
  if (unseen > 0) terminal.line(`  and ${unseen} more`);
  terminal.line(`${done} imported, ${skipped} unchanged, ${failed} failed.`);
}
