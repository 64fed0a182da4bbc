import { Command, InvalidArgumentError, Option } from 'commander';
import type { SignInOptions } from './cli/sign-in.ts';
import { runCommand, type Terminal } from './cli/terminal.ts';
import type { NewAdmin } from './cli/users.ts';
import type { ListenOptions } from './cli/webhooks-listen.ts';
import type { DeliveriesOptions } from './cli/webhooks.ts';

const program = new Command('npm run cli --')
  .description('Support Assistant from the terminal.')
  .option('--json', 'print one JSON object instead of text')
  .configureHelp({ showGlobalOptions: true })
  .showHelpAfterError('Add --help to see how it is used.');

/** Commands are loaded when they run: asking does not wait for a database to be loaded. */
const run = (work: (terminal: Terminal) => Promise<void>): Promise<void> =>
  runCommand(program.opts<{ json?: true }>().json === true, work);

function parseUrl(value: string): string {
  if (/^https?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw new InvalidArgumentError('It must be a URL, e.g. http://localhost:8000');
}

function parseDatabaseUrl(value: string): string {
  if (/^postgres(ql)?:$/.test(URL.parse(value)?.protocol ?? '')) return value;
  throw new InvalidArgumentError('It must be a URL, e.g. postgres://user:password@host/name');
}

function parseLimit(value: string): number {
  if (/^([1-9]\d?|100)$/.test(value)) return Number(value);
  throw new InvalidArgumentError('It must be a number from 1 to 100.');
}

program
  .command('ask')
  .description('ask the assistant of a running server, and see it answer')
  .argument('<question...>', 'what a customer would write')
  .option('--url <url>', 'where the server is (default: http://localhost:$PORT)', parseUrl)
  .option('--email <email>', 'who asks (default: the customer of the demo shop)')
  .option('--password <password>', 'asked for when it is missing')
  .addHelpText('after', '\nExample:\n  npm run cli -- ask "My parcel is late"')
  .action((words: string[], options: SignInOptions) =>
    run(async (terminal) => {
      const { ask } = await import('./cli/ask.ts');
      await ask(words.join(' '), options, terminal);
    }),
  );

program
  .command('articles')
  .description('manage articles')
  .command('import')
  .description('import the markdown files of a folder into a running server')
  .argument('<folder>', 'where the files are; folders in it count too')
  .option('--url <url>', 'where the server is (default: http://localhost:$PORT)', parseUrl)
  .option('--email <email>', 'an admin (default: the one of the demo shop)')
  .option('--password <password>', 'asked for when it is missing')
  .action((folder: string, options: SignInOptions) =>
    run(async (terminal) => {
      const { importArticles } = await import('./cli/articles.ts');
      await importArticles(folder, options, terminal);
    }),
  );

const webhooks = program.command('webhooks').description('see and repeat what webhooks send');

webhooks
  .command('listen')
  .description('send what happens to a receiver on this machine, signed as a webhook is')
  .requiredOption('--forward-to <url>', 'the receiver', parseUrl)
  .option('--events <list>', 'types or families, with commas', '*')
  .option('--secret <secret>', 'to sign with (default: a new one, which is printed)')
  .option('--url <url>', 'where the server is (default: http://localhost:$PORT)', parseUrl)
  .option('--email <email>', 'an admin (default: the one of the demo shop)')
  .option('--password <password>', 'asked for when it is missing')
  .addHelpText(
    'after',
    '\nExample:\n  npm run cli -- webhooks listen --forward-to http://localhost:3000/',
  )
  .action((options: ListenOptions) =>
    run(async (terminal) => {
      const { listen } = await import('./cli/webhooks-listen.ts');
      await listen(options, terminal);
    }),
  );

webhooks
  .command('deliveries')
  .description('list what webhooks were sent lately, newest first')
  .option('--webhook <id>', 'only of this webhook')
  .addOption(
    new Option('--state <state>', 'only those').choices(['pending', 'succeeded', 'failed']),
  )
  .option('--limit <number>', 'how many', parseLimit, 25)
  .option('--url <url>', 'where the server is (default: http://localhost:$PORT)', parseUrl)
  .option('--email <email>', 'an admin (default: the one of the demo shop)')
  .option('--password <password>', 'asked for when it is missing')
  .action((options: DeliveriesOptions) =>
    run(async (terminal) => {
      const { listDeliveries } = await import('./cli/webhooks.ts');
      await listDeliveries(options, terminal);
    }),
  );

webhooks
  .command('redeliver')
  .description('send a delivery again')
  .argument('<delivery>', 'its id, as `webhooks deliveries` shows it')
  .option('--url <url>', 'where the server is (default: http://localhost:$PORT)', parseUrl)
  .option('--email <email>', 'an admin (default: the one of the demo shop)')
  .option('--password <password>', 'asked for when it is missing')
  .action((delivery: string, options: SignInOptions) =>
    run(async (terminal) => {
      const { redeliver } = await import('./cli/webhooks.ts');
      await redeliver(delivery, options, terminal);
    }),
  );

program
  .command('doctor')
  .description('check everything that a server needs, and say what to do')
  .action(() =>
    run(async (terminal) => {
      const { examine } = await import('./cli/doctor.ts');
      await examine(terminal);
    }),
  );

program
  .command('migrate')
  .description('bring the database up to date')
  .action(() =>
    run(async (terminal) => {
      const { migrateDatabase } = await import('./cli/migrate.ts');
      await migrateDatabase(terminal);
    }),
  );

program
  .command('move-to')
  .description('move the embedded database into an empty PostgreSQL server')
  .argument('<url>', 'where it is, as in DATABASE_URL; `migrate` has run on it', parseDatabaseUrl)
  .addHelpText('after', '\nExample:\n  npm run cli -- move-to "$DATABASE_URL"')
  .action((url: string) =>
    run(async (terminal) => {
      const { moveTo } = await import('./cli/move-to.ts');
      await moveTo(url, terminal);
    }),
  );

program
  .command('users')
  .description('manage people')
  .command('create-admin')
  .description('make an admin, the first one or one more')
  .requiredOption('--email <email>', 'the address to sign in with')
  .requiredOption('--name <name>', 'how others see the person')
  .option('--password <password>', 'asked for, or made and shown once, when it is missing')
  .action((person: NewAdmin) =>
    run(async (terminal) => {
      const { createAdmin } = await import('./cli/users.ts');
      await createAdmin(person, terminal);
    }),
  );

program
  .command('demo')
  .description('fill the workspace with the demo shop, and show its logins')
  .action(() =>
    run(async (terminal) => {
      const { fillWithDemo } = await import('./cli/demo.ts');
      await fillWithDemo(terminal);
    }),
  );

await program.parseAsync();
