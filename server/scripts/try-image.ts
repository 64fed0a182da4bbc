import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, cp, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, delimiter, join, relative } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { testDatabaseUrl } from '../test/services.ts';
import {
  readBuildContext,
  readCompose,
  readDockerfile,
  repository,
  variablesOf,
  wordsOf,
} from './image.ts';

/*
 * What `docker compose up` would do, without a container engine: carries out the Dockerfile in an
 * empty folder, migrates a fresh database, starts the server, asks the health check, and stops it.
 * Needs a PostgreSQL server.
 */
const readyWithinMs = 30_000;
const startedAt = performance.now();
const serverUrl = await testDatabaseUrl();
if (!serverUrl) throw new Error('Trying the image needs a PostgreSQL server.');

const folder = await mkdtemp(join(tmpdir(), 'support-image-'));
const database = `support_image_${randomBytes(6).toString('hex')}`;
await onServer(`create database ${database}`);
try {
  // The image's user is another one than who builds.
  await chmod(folder, 0o755);
  const image = await build();
  await refuseDevelopmentDependencies(image);
  await run(image);
} finally {
  await onServer(`drop database if exists ${database} with (force)`);
  await rm(folder, { recursive: true, force: true });
}

type Image = {
  workdir: string;
  env: Record<string, string>;
  user: { uid?: number; gid?: number };
  stopSignal: NodeJS.Signals;
  healthcheck: string[];
  start: string[];
};

async function build(): Promise<Image> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  await copyFile(process.execPath, join(bin, 'node'));
  const env: Record<string, string> = {
    PATH: [bin, process.env['PATH']].join(delimiter),
    HOME: folder,
  };
  const image: Image = {
    workdir: folder,
    env,
    user: {},
    stopSignal: 'SIGTERM',
    healthcheck: [],
    start: [],
  };
  const context = readBuildContext();
  for (const instruction of readDockerfile()) {
    const { name, value } = instruction;
    if (name === 'FROM' && !value.startsWith(`node:${process.versions.node}-`)) {
      throw new Error(`This runs on Node.js ${process.versions.node}, the image is ${value}.`);
    }
    if (name === 'ENV') Object.assign(env, variablesOf(instruction));
    if (name === 'WORKDIR') {
      image.workdir = join(folder, value);
      await mkdir(image.workdir, { recursive: true });
    }
    if (name === 'COPY') await copy(context, value.split(/\s+/), image.workdir);
    if (name === 'RUN') {
      // Registries and proxies are a matter of the machine; the rest comes from the image.
      const machine = Object.entries(process.env).filter(
        ([key]) => !/^(npm_(package|lifecycle|command|config_local_prefix)|INIT_CWD$)/.test(key),
      );
      await finish(['sh', '-c', value], {
        ...image,
        env: {
          ...Object.fromEntries(machine),
          ...env,
          HOME: process.env['HOME'] ?? folder,
          // The image empties its cache of packages; that of the machine is not its business.
          npm_config_cache: join(folder, 'npm-cache'),
        },
      });
    }
    if (name === 'USER' && process.getuid?.() === 0) image.user = { uid: 1000, gid: 1000 };
    if (name === 'STOPSIGNAL') image.stopSignal = value as NodeJS.Signals;
    if (name === 'HEALTHCHECK') image.healthcheck = wordsOf(instruction);
    if (name === 'CMD') image.start = wordsOf(instruction);
  }
  return image;
}

/** `COPY source… target`; a folder as source means what is in it. */
async function copy(context: string[], words: string[], workdir: string): Promise<void> {
  const target = words.at(-1) ?? '';
  for (const source of words.slice(0, -1)) {
    const files = context.filter((path) => path === source || path.startsWith(`${source}/`));
    if (files.length === 0) throw new Error(`COPY ${source}: the build does not see it.`);
    for (const file of files) {
      const place = file === source ? basename(file) : relative(source, file);
      await cp(join(repository, file), join(workdir, target, place));
    }
  }
}

async function refuseDevelopmentDependencies({ workdir }: Image): Promise<void> {
  const installed = await readFile(join(workdir, 'node_modules/.package-lock.json'), 'utf8');
  const { packages } = JSON.parse(installed) as { packages: Record<string, { dev?: boolean }> };
  const names = Object.keys(packages).filter((name) => packages[name]?.dev);
  if (names.length > 0) throw new Error(`Not for production: ${names.join(', ')}`);
  console.log(`image: ${Object.keys(packages).length} packages, all for production`);
}

async function run(image: Image): Promise<void> {
  const port = await freePort();
  const started: Image = {
    ...image,
    env: {
      ...image.env,
      PORT: String(port),
      SECRET_KEY: randomBytes(48).toString('base64'),
      DATABASE_URL: Object.assign(new URL(serverUrl ?? ''), { pathname: `/${database}` }).href,
      SHUTDOWN_GRACE_MS: '100',
    },
  };
  await finish(readCompose().services['migrate']?.command ?? [], started);
  console.log('image: the database is migrated');

  const server = spawnIn(started, started.start);
  const output = text(server.stdout);
  try {
    await untilReady(`http://127.0.0.1:${port}/health/ready`, server);
    await finish(started.healthcheck, started);
    console.log('image: the server is ready, and its health check says so');
  } catch (error) {
    server.kill('SIGKILL');
    throw new Error(`${String(error)}\n${await output}`, { cause: error });
  }
  server.kill(started.stopSignal);
  const code = await codeOf(server);
  if (code !== 0) throw new Error(`${started.stopSignal} ended it with ${code}:\n${await output}`);
  const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
  console.log(`image: ${started.stopSignal} ended it with 0; all is well (${seconds} s)`);
}

type Child = ReturnType<typeof spawnIn>;

function spawnIn({ workdir, env, user }: Image, words: string[]) {
  const [command = '', ...rest] = words;
  const child = spawn(command, rest, {
    cwd: workdir,
    env,
    ...user,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stderr.pipe(process.stderr);
  return child;
}

async function finish(words: string[], image: Image): Promise<void> {
  const child = spawnIn(image, words);
  const [output, code] = await Promise.all([text(child.stdout), codeOf(child)]);
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${code}:\n${output}`);
}

async function codeOf(child: Child): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return child.exitCode;
}

async function untilReady(url: string, server: Child): Promise<void> {
  const giveUpAt = performance.now() + readyWithinMs;
  while (performance.now() < giveUpAt) {
    if (server.exitCode !== null) throw new Error(`The server ended with ${server.exitCode}.`);
    const reply = await fetch(url).catch(() => undefined);
    if (reply?.status === 200) return;
    await delay(50);
  }
  throw new Error(`The server was not ready within ${readyWithinMs} ms.`);
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

async function onServer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: serverUrl });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
