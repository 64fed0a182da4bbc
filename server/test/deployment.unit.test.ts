import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  isIgnored,
  readBuildContext,
  readCompose,
  readDockerfile,
  readIgnorePatterns,
  repository,
  variablesOf,
  wordsOf,
} from '../scripts/image.ts';
import { loadConfig } from '../src/config.ts';

const read = (path: string): string => readFileSync(join(repository, path), 'utf8');
const compose = read('compose.yaml');
const { services, volumes } = readCompose();
const { server, migrate, postgres, redis } = services;

describe('the image', () => {
  const instructions = readDockerfile();
  const only = (name: string) => {
    const [first, ...rest] = instructions.filter((instruction) => instruction.name === name);
    if (!first || rest.length > 0)
      throw new Error(`${name} stands there ${rest.length} times more`);
    return first;
  };

  test('is made on exactly the Node.js that the tests run on', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as {
      devDependencies: Record<string, string>;
    };
    expect(only('FROM').value).toBe(`node:${devDependencies['node']}-slim`);
  });

  test('runs as a user without rights, to the end', () => {
    expect(only('USER').value).toBe('node');
    const names = instructions.map(({ name }) => name);
    const behind = names.slice(names.indexOf('USER') + 1);
    expect(behind).not.toContain('RUN');
    expect(behind).not.toContain('COPY');
  });

  test('installs what the lockfile says, without development dependencies', () => {
    expect(only('RUN').value).toMatch(/^npm ci --omit=dev( |$)/);
  });

  test('is set up for production, reachable from outside the container', () => {
    expect(variablesOf(only('ENV'))).toEqual({ NODE_ENV: 'production', HOST: '0.0.0.0' });
  });

  test('starts node itself, which hears SIGTERM', () => {
    expect(wordsOf(only('CMD'))).toEqual(['node', 'server/src/main.ts']);
    expect(only('STOPSIGNAL').value).toBe('SIGTERM');
  });

  test('asks the server for its health with what is in it', () => {
    const [command, option, script] = wordsOf(only('HEALTHCHECK'));
    expect([command, option]).toEqual(['node', '-e']);
    expect(script).toContain('/health/live');
  });

  test('holds no secret, and nothing of tests or of a machine', () => {
    expect(read('Dockerfile')).not.toMatch(/\bARG\b|SECRET|PASSWORD|API_KEY/);
    const context = readBuildContext();
    expect(context).toEqual(expect.arrayContaining(['package-lock.json', 'server/src/main.ts']));
    expect(
      context.filter((path) => /^(bench|docs)\/|\.test\.ts$|(^|\/)(test|\.git|\.env)/.test(path)),
    ).toEqual([]);
  });

  test.each(['.env', '.env.local', 'server/.env', '.data/secret-key', 'server/.data/secret-key'])(
    'is built without a %s that lies there',
    (path) => {
      expect(isIgnored(path, readIgnorePatterns())).toBe(true);
    },
  );
});

describe('compose.yaml', () => {
  test('has no secret of its own: a start without one is refused', () => {
    const secrets = [...compose.matchAll(/\$\{(\w*(?:SECRET|PASSWORD|KEY)\w*)(.)(.)/g)];
    expect(secrets.map(([, name]) => name)).toEqual([
      'SECRET_KEY',
      'POSTGRES_PASSWORD',
      'POSTGRES_PASSWORD',
    ]);
    for (const [text, , ...operator] of secrets) expect(operator.join(''), text).toBe(':?');
    expect(server?.environment?.['SECRET_KEY']).toMatch(/^\$\{SECRET_KEY:\?/);
    expect(server?.environment?.['DATABASE_URL']).toMatch(
      /^postgres:\/\/support:\$\{POSTGRES_PASSWORD:\?[^}]+\}@postgres:5432\/support$/,
    );
    expect(postgres?.environment?.['POSTGRES_PASSWORD']).toMatch(/^\$\{POSTGRES_PASSWORD:\?/);
  });

  test('migrates a healthy database before the server starts', () => {
    expect(migrate?.command).toEqual(['node', 'server/src/cli.ts', 'migrate']);
    expect(migrate?.depends_on?.['postgres']?.condition).toBe('service_healthy');
    expect(server?.depends_on?.['migrate']?.condition).toBe('service_completed_successfully');
    expect(migrate?.environment).toEqual(server?.environment);
    expect(migrate?.image).toBe(server?.image);
  });

  test('keeps the data of PostgreSQL 16 in a named volume', () => {
    expect(postgres?.image).toMatch(/^postgres:16\b/);
    expect(postgres?.volumes).toEqual(['postgres:/var/lib/postgresql/data']);
    expect(Object.keys(volumes)).toEqual(['postgres']);
  });

  test('looks after the health of what others wait for', () => {
    expect(postgres?.healthcheck?.test).toContain('pg_isready');
    expect(redis?.healthcheck?.test).toEqual(['CMD', 'redis-cli', 'ping']);
    // That of the image.
    expect(server?.healthcheck).toBeUndefined();
  });

  test('lets nothing write beside the volumes, and only this machine connect', () => {
    for (const [name, service] of Object.entries(services)) {
      expect(service.read_only, name).toBe(true);
      for (const port of service.ports ?? []) expect(port, name).toMatch(/^127\.0\.0\.1:/);
    }
    expect(postgres?.ports ?? redis?.ports).toBeUndefined();
  });

  test('gives the server time to finish its answers', () => {
    const secret = 'only the times of this configuration are looked at: 0123456789';
    const { graceMs, drainMs } = loadConfig({
      NODE_ENV: 'production',
      SECRET_KEY: secret,
      DATABASE_URL: 'postgres://postgres/support',
    }).shutdown;
    expect(server?.stop_grace_period).toMatch(/^\d+s$/);
    expect(parseInt(server?.stop_grace_period ?? '') * 1_000).toBeGreaterThan(graceMs + drainMs);
  });
});

test('.env.example documents every variable that is read, and no other', () => {
  const documented = [...read('.env.example').matchAll(/^(?:# )?([A-Z][A-Z0-9_]*)=/gm)];
  const ofServer = [...read('server/src/config.ts').matchAll(/'([A-Z][A-Z0-9_]{2,})'/g)];
  // Its library reads it.
  const ofExporter = [['', 'OTEL_EXPORTER_OTLP_HEADERS']];
  const ofCompose = [...compose.matchAll(/\$\{([A-Z0-9_]+)/g)];
  const names = (matches: string[][]) => matches.map(([, name]) => name);
  const wanted = names([...ofServer, ...ofExporter, ...ofCompose]);
  expect(names(documented).sort()).toEqual([...new Set(wanted)].sort());
});

test('.env.example sets nothing by itself', () => {
  expect(read('.env.example')).not.toMatch(/^[^#\n]/m);
});
