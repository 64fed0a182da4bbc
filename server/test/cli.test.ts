import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { titleOf } from '../src/cli/ask.ts';
import { fakeAiEnv } from './asking.ts';
import { freePort, runCli, runJson, startCli, takePort, type Env } from './cli-process.ts';
import { onServer, withName } from './database.ts';
import { startFakeAi, type FakeAi } from './fake-ai.ts';
import { until } from './harness.ts';
import { demoToken, request, startServerProcess, type ServerProcess } from './server-process.ts';

// Every command is a process, most of them with an embedded database of their own.
vi.setConfig({ testTimeout: 120_000 });

const grace = ['users', 'create-admin', '--email', 'grace@example.com', '--name', 'Grace Hopper'];
const secretKey = randomBytes(48).toString('base64');

/** Commands bring their database along: on PostgreSQL only what differs there is tested. */
const { serverUrl } = inject('databases');

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'support-cli-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(serverUrl)('the command line', () => {
  it('says what it can do', async () => {
    const { code, stdout } = await runCli(['--help'], {});
    expect(code).toBe(0);
    for (const name of [
      'ask',
      'articles',
      'doctor',
      'migrate',
      'move-to',
      'users',
      'demo',
      '--json',
    ]) {
      expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'));
    }
  });

  it('says how a command is used that is used wrongly', async () => {
    expect(await runCli(['ask'], {})).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("missing required argument 'question'"),
    });
    expect(await runCli(['aks', 'Hm?'], {})).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('Did you mean ask?'),
    });
  });

  it('tells all problems of the configuration', async () => {
    const { code, stdout, stderr } = await runCli(['migrate'], { PORT: 'x', DEMO: 'maybe' });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^Error: The configuration is not usable:\n {2}- PORT .+\n {2}- DEMO /);
    expect(stderr).not.toContain('    at ');
  });
});

describe.skipIf(serverUrl)('a title', () => {
  it.each([
    ['My parcel is late', 'My parcel is late'],
    ['Line one\n\tline\u2028two ', 'Line one line two'],
    ['no\u202e tricks', 'no tricks'],
    ['?', 'Question: ?'],
    ['👨‍👩‍👧'.repeat(40), `${[...'👨‍👩‍👧'.repeat(40)].slice(0, 79).join('')}…`],
  ])('of %j is %j', (question, title) => expect(titleOf(question)).toBe(title));
});

describe.skipIf(serverUrl)('without a server', () => {
  it('ask says to start it first', async () => {
    const port = await freePort();
    const env = { DATA_DIR: join(folder, 'none'), PORT: port };
    expect(await runCli(['ask', 'Hm?'], env)).toEqual({
      code: 1,
      stdout: '',
      stderr: `Error: No server answers at http://localhost:${port}.\nStart it first: npm start\n`,
    });
    expect(await runJson(['ask', 'Hm?'], env)).toMatchObject({
      code: 1,
      body: { error: { code: 'no-server', hint: 'Start it first: npm start' } },
    });
  });

  it('doctor looks and changes nothing', async () => {
    const dataDir = join(folder, 'none');
    const env = { DATA_DIR: dataDir, PORT: await freePort(), HOST: '127.0.0.1' };
    const { code, stdout } = await runCli(['doctor'], env);
    expect(stdout).toContain(`  ✓ Data folder    ${dataDir}, made at the first start\n`);
    expect(stdout).toContain('  ✓ Assistant      quotes the articles');
    expect(stdout).toContain('  ✓ Mail           off');
    expect(stdout).toMatch(/\n\n {2}All is well\.\n$/);
    expect(code).toBe(0);
    expect(existsSync(dataDir)).toBe(false);
  });

  it('doctor says of everything that is wrong what to do', async () => {
    const { port, free } = await takePort();
    const closed = await freePort();
    const env = {
      SMTP_URL: `smtp://me:hunter2@127.0.0.1:${closed}`,
      MAIL_FROM: 'support@example.com',
      DATA_DIR: join(fileURLToPath(import.meta.url), 'folder'),
      DATABASE_URL: `postgres://127.0.0.1:${closed}/none`,
      HOST: '127.0.0.1',
      PORT: port,
      AI_BASE_URL: `http://127.0.0.1:${closed}`,
      GROQ_API_KEY: 'gsk_secret',
    };
    const { code, stdout } = await runCli(['doctor'], env);
    await free();
    const marks = stdout.match(/(?<=^ {2})[✓✗] \S+( folder)?/gm);
    expect(marks).toEqual([
      '✓ Node.js',
      '✓ Configuration',
      '✗ Data folder',
      '✓ Secret',
      '✗ Database',
      '✗ Port',
      '✗ Assistant',
      '✗ Mail',
    ]);
    expect(stdout.match(/^ +→ \S+/gm)).toHaveLength(5);
    expect(stdout).toContain(`PORT=${Number(port) + 1} npm start`);
    expect(stdout).toMatch(/\n\n {2}5 things need you\.\n$/);
    expect(stdout).not.toMatch(/gsk_secret|hunter2/);
    expect(code).toBe(1);
  });

  it('doctor tells problems of the configuration, as an object too', async () => {
    const { code, body } = await runJson(['doctor'], { NODE_ENV: 'production' });
    expect(code).toBe(1);
    expect(body).toMatchObject({ ok: false, checks: [{ ok: true }, { name: 'Configuration' }] });
    expect(body.checks[1]?.detail).toMatch(/SECRET_KEY is required[^]+DATABASE_URL is required/);
  });

  it('demo refuses to fill a production', async () => {
    const env = {
      NODE_ENV: 'production',
      SECRET_KEY: secretKey,
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
    };
    const { code, stderr } = await runCli(['demo'], env);
    expect(code).toBe(1);
    expect(stderr).toContain('The demo shop is for development');
  });
});

describe.skipIf(serverUrl)('on a folder and its server', () => {
  let fake: FakeAi;
  let dataDir: string;
  let server: ServerProcess | undefined;
  let env: Env;
  let adminPassword: string;

  beforeAll(async () => {
    fake = await startFakeAi();
    dataDir = join(folder, 'data');
    env = { DATA_DIR: dataDir, PORT: await freePort(), HOST: '127.0.0.1', ...fakeAiEnv(fake) };
  });

  afterAll(async () => {
    await server?.stop('SIGTERM');
    await fake.close();
  });

  it('migrate prints what ran, and nothing the second time', async () => {
    const { code, stdout } = await runCli(['migrate'], env);
    expect(stdout).toMatch(/^ {2}✓ 0001-identity\n[^]+\nUp to date: \d+ migrations ran\.\n$/);
    expect(code).toBe(0);
    expect(await runJson(['migrate'], env)).toEqual({
      code: 0,
      body: { ran: [], up_to_date: true },
    });
  });

  it('users create-admin makes a password and shows it once', async () => {
    const { code, body } = await runJson(grace, env);
    expect(code).toBe(0);
    expect(body).toMatchObject({ email: 'grace@example.com', name: 'Grace Hopper', role: 'admin' });
    adminPassword = body.password;
    expect(await runCli(grace, env)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: 'Error: There is an account with this e-mail already.\n',
    });
  });

  it('users create-admin says what is wrong with a person', async () => {
    expect(await runCli([...grace, '--password', 'short'], env)).toMatchObject({
      code: 1,
      stderr: 'Error: A password has 10 to 200 characters.\n',
    });
  });

  it('demo fills the workspace and prints the logins', async () => {
    const { code, stdout } = await runCli(['demo'], env);
    expect(stdout).toMatch(/\n {2}customer {2}customer@fernweh\.example {2}\S+\n {2}agent {5}/);
    expect(code).toBe(0);
  });

  it('the admin that was made signs in', async () => {
    server = await startServerProcess(env);
    const body = { email: 'grace@example.com', password: adminPassword };
    const { access_token: token } = await request(server.url, '/auth/login', { body });
    expect(await request(server.url, '/me', { token })).toMatchObject({ role: 'admin' });
  });

  it.each([['migrate'], ['demo'], grace])(
    '%s says that the server has the database',
    async (...args) => {
      const { code, stdout, stderr } = await runCli(args, env);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^Error: Another process \(pid \d+\) is using .+ Stop it first, or /);
    },
  );

  it('doctor finds the server, and the model that is configured', async () => {
    const { code, body } = await runJson(['doctor'], env);
    const details = Object.fromEntries(body.checks.map((check) => [check.name, check.detail]));
    expect(details).toMatchObject({
      Database: 'embedded PostgreSQL, in use by a server that runs',
      Port: `${env['PORT']}: our server runs there, ready`,
    });
    expect({ ok: body.ok, code }).toEqual({ ok: true, code: 0 });
  });

  it('articles import shows how far it is, and what is wrong with a file', async () => {
    const articles = join(folder, 'articles');
    await mkdir(join(articles, 'deep'), { recursive: true });
    await writeFile(join(articles, 'one.md'), '---\ntitle: Kites\n---\nFly a kite.');
    await writeFile(join(articles, 'deep/two.md'), '---\ntitle: Boats\n---\nSail a boat.');
    await writeFile(join(articles, 'deep/bad.markdown'), 'No front matter.');
    await writeFile(join(articles, 'notes.txt'), 'Not an article.');
    const first = await runCli(['articles', 'import', articles], env);
    expect(first.stdout).toMatch(
      / {2}3 of 3\n {2}✗ deep\/bad.markdown: .*`title`.*\n2 imported, 0 /,
    );
    expect(first).toMatchObject({ code: 1, stderr: '' });
    await rm(join(articles, 'deep/bad.markdown'));
    const again = await runJson(['articles', 'import', articles], env);
    expect(again).toEqual({
      code: 0,
      body: { total: 2, done: 0, skipped: 2, failed: 0, errors: [] },
    });
    expect(await runCli(['articles', 'import', join(articles, 'none')], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('no such file or directory'),
    });
  });

  it('articles import reports files of one article, however far apart they are', async () => {
    const articles = join(folder, 'repeated');
    await mkdir(articles);
    const kites = (text: string) => `---\ntitle: Kites\nslug: kites\n---\n${text}`;
    await writeFile(join(articles, 'a.md'), kites('Fly a kite.'));
    // So large that the files around it go out in different requests.
    await writeFile(join(articles, 'b.md'), 'x'.repeat(4 * 1024 * 1024));
    await writeFile(join(articles, 'c.md'), kites('Fold a kite.'));
    const { code, body } = await runJson(['articles', 'import', articles], env);
    expect(code).toBe(1);
    expect(body).toMatchObject({
      total: 3,
      done: 1,
      failed: 2,
      errors: [
        { path: 'c.md', message: 'a.md has the same `slug` or path.' },
        { path: 'b.md', message: expect.stringContaining('`title`') },
      ],
    });
  });

  it('ask shows the answer with its sources', async () => {
    const { code, stdout, stderr } = await runCli(['ask', 'My', 'parcel', 'is', 'late'], env);
    expect(stdout).toMatch(/^\S[^]+\[1\][^]*\n\nSources\n {2}\[1\] .+\n\nTicket #\d+\n$/);
    // eslint-disable-next-line no-control-regex -- colours are what it looks for
    expect(stdout).not.toMatch(/\u001b/);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  });

  it('ask --json prints the ticket and the answer as they are saved', async () => {
    const { code, body } = await runJson(['ask', 'My parcel is late'], env);
    const { url } = server ?? { url: '' };
    const token = await demoToken(url, dataDir, 'customer');
    expect(body.answer).toEqual(await request(url, `/answers/${body.answer.id}`, { token }));
    expect(body.answer.state).toBe('completed');
    expect(await request(url, `/tickets/${body.ticket.id}`, { token })).toMatchObject({
      number: body.ticket.number,
      title: 'My parcel is late',
    });
    expect(code).toBe(0);
  });

  it('ask shows the text while it is written', async () => {
    const hold = fake.hold();
    const { output, ended } = startCli(['ask', 'My parcel is late'], env);
    await hold.step(6);
    const shown = await until('the first words', output);
    hold.release();
    const { code, stdout } = await ended;
    expect(stdout.startsWith(shown)).toBe(true);
    expect(shown).not.toContain('Ticket');
    expect(code).toBe(0);
  });

  it('ask says that a person will reply', async () => {
    const { code, stdout } = await runCli(['ask', 'I want to talk to a human'], env);
    expect(stdout).toContain('\n\nHanded over to a person (requested)\n');
    expect(code).toBe(0);
  });

  it('ask says that an answer failed', async () => {
    fake.script('bad-request');
    const { code, stdout } = await runCli(['ask', 'My parcel is late'], env);
    expect(stdout).toContain('A person of our team will reply here.');
    expect(code).toBe(1);
  });

  it('ask says that it cannot sign in', async () => {
    const wrong = ['ask', 'Hm?', '--email', 'customer@fernweh.example', '--password', 'wrong'];
    expect(await runCli(wrong, env)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^Error: customer@fernweh\.example cannot sign in: /),
    });
    const elsewhere = { ...env, DATA_DIR: join(folder, 'none') };
    expect(await runCli(['ask', 'Hm?'], elsewhere)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('There is no demo login in '),
    });
  });

  it('ask tells another program from a server', async () => {
    const { url } = fake;
    expect(await runCli(['ask', 'Hm?', '--url', url], env)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`What answers at ${url} is not Support Assistant.`),
    });
  });
});

describe.runIf(serverUrl)('on a PostgreSQL server', () => {
  const name = `support_cli_${randomBytes(4).toString('hex')}`;
  const url = withName(serverUrl ?? 'postgres://none', name);
  // With Redis, which must not keep a command that is done from ending.
  const redis = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';
  const env = {
    NODE_ENV: 'production',
    SECRET_KEY: secretKey,
    DATABASE_URL: url,
    REDIS_URL: redis,
  };

  beforeAll(() => onServer(serverUrl ?? '', `create database ${name}`));
  afterAll(() => onServer(serverUrl ?? '', `drop database ${name} with (force)`));

  it('nothing but migrate works on an empty database, and says so', async () => {
    const { code, stderr } = await runCli(grace, env);
    expect(stderr).toMatch(
      /^Error: Migrations have not run: .+\nRun them first: npm run cli -- migrate/,
    );
    expect(code).toBe(1);
    const { body } = await runJson(['doctor'], { ...env, PORT: '0' });
    expect(body.checks.filter((check) => !check.ok)).toMatchObject([
      { name: 'Migrations', fix: 'Run them: npm run cli -- migrate' },
    ]);
  });

  it('migrate and create-admin prepare it, and doctor finds it well', async () => {
    expect(await runCli(['migrate'], env)).toMatchObject({ code: 0, stderr: '' });
    expect((await runCli([...grace, '--password', 'four random words'], env)).stdout).toBe(
      'Grace Hopper <grace@example.com> is an admin now.\n',
    );
    expect((await runCli(['migrate'], env)).stdout).toBe('Up to date: nothing to run.\n');
    const { code, body } = await runJson(['doctor'], { ...env, PORT: '0' });
    const names = body.checks.map((check) => check.name);
    expect(names).toContain('Clock');
    expect({ code, ok: body.ok }).toEqual({ code: 0, ok: true });
  });

  it('says which database it cannot use', async () => {
    const missing = { DATABASE_URL: withName(serverUrl ?? '', `${name}_none`) };
    const { code, stderr } = await runCli(['migrate'], missing);
    expect(stderr).toMatch(/^Error: The database cannot be used: database ".+" does not exist\n/);
    expect(code).toBe(1);
  });
});
