import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { AppError } from '../../errors.ts';

type Cost = { memory: number; passes: number; parallelism: number };
type StoredHash = Cost & { salt: Buffer; hash: Buffer };

/** OWASP's second choice for Argon2id: 19 MiB (in KiB), two passes, one lane. */
const cost: Cost = { memory: 19_456, passes: 2, parallelism: 1 };
const saltBytes = 16;
const hashBytes = 32;

export type PasswordsOptions = {
  /** Hashes that run at once. */
  runningMax?: number;
  /** Hashes that wait for their turn; more are refused. */
  waitingMax?: number;
};

/** Hashing blocks a thread of libuv's four for its whole time: one stays free for files and DNS. */
const runningDefault = Math.min(availableParallelism(), 3);

export type Passwords = ReturnType<typeof createPasswords>;

/** Argon2id with bounded concurrency, stored as PHC strings. */
export function createPasswords(options: PasswordsOptions = {}) {
  const takeTurns = createTurns(options.runningMax ?? runningDefault, options.waitingMax ?? 64);
  const derive = (password: string, salt: Buffer, use: Cost): Promise<Buffer> =>
    takeTurns(() => deriveKey(password, salt, use));

  return {
    async hash(password: string): Promise<string> {
      const salt = randomBytes(saltBytes);
      return format({ ...cost, salt, hash: await derive(password, salt, cost) });
    },

    /**
     * Whether the password belongs to the stored hash. Without one it does the same work and says
     * no, so that the time of a reply does not tell which accounts exist.
     */
    async verify(password: string, stored: string | null | undefined): Promise<boolean> {
      const expected = stored ? parse(stored) : decoy;
      const actual = await derive(password, expected.salt, expected);
      return timingSafeEqual(actual, expected.hash) && expected !== decoy;
    },

    /** True for a hash of another cost than today's. */
    needsRehash(stored: string): boolean {
      const { memory, passes, parallelism } = parse(stored);
      return memory !== cost.memory || passes !== cost.passes || parallelism !== cost.parallelism;
    },
  };
}

const decoy: StoredHash = {
  ...cost,
  salt: randomBytes(saltBytes),
  hash: randomBytes(hashBytes),
};

const deriveKey = (password: string, nonce: Buffer, use: Cost): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const { memory, passes, parallelism } = use;
    const parameters = {
      message: password,
      nonce,
      memory,
      passes,
      parallelism,
      tagLength: hashBytes,
    };
    argon2('argon2id', parameters, (error, key) => (error ? reject(error) : resolve(key)));
  });

const unpadded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

const format = ({ memory, passes, parallelism, salt, hash }: StoredHash): string =>
  `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${unpadded(salt)}$${unpadded(hash)}`;

const phcString =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$([\w+/]{11,86})\$([\w+/]{43})$/;

function parse(stored: string): StoredHash {
  const [, memory, passes, parallelism, salt, hash] = phcString.exec(stored) ?? [];
  if (!salt || !hash) throw new Error('A stored password hash is not a PHC string of Argon2id.');
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: Buffer.from(salt, 'base64'),
    hash: Buffer.from(hash, 'base64'),
  };
}

/** Runs at most `runningMax` at once, in order, and refuses what comes behind `waitingMax` others. */
function createTurns(runningMax: number, waitingMax: number) {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (running < runningMax) running += 1;
    else if (waiting.length < waitingMax) {
      // Whoever ends hands its place over, so `running` stays as it is.
      await new Promise<void>((resolve) => waiting.push(resolve));
    } else {
      throw new AppError('unavailable', 'Too many people sign in at this moment.', {
        details: { headers: { 'retry-after': '2' } },
      });
    }
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
