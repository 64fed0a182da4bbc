import { createHash } from 'node:crypto';
import { AppError } from '../../errors.ts';
import type { RateLimits } from '../../platform/rate-limit/rate-limits.ts';

export type SignInThrottle = ReturnType<typeof createSignInThrottle>;

/** What an attempt is counted under. */
export type Attempt = { account: string; network: string };

const quarterSeconds = 900;
const hourSeconds = 3_600;

/**
 * Bounds guesses of passwords. One network has few at one account, and many at all accounts; all
 * networks together have some more at one account, which only those pay for that the account was not
 * used from: nobody can lock another one out.
 */
export function createSignInThrottle(dependencies: {
  limits: RateLimits;
  /** Wrong guesses of one network at one account in a quarter of an hour; 0 is no limit. */
  failuresMax: number;
  /** Whether the account was signed in to from that network before. */
  isKnownAt(attempt: Attempt): Promise<boolean>;
}) {
  const { limits, failuresMax, isKnownAt } = dependencies;
  const limiter = (name: string, max: number, windowSeconds: number) =>
    limits.of({ name: `sign-in-${name}`, max, windowSeconds });
  const pair = limiter('pair', failuresMax, quarterSeconds);
  const network = limiter('network', 20 * failuresMax, hourSeconds);
  const account = limiter('account', 5 * failuresMax, hourSeconds);

  return {
    /**
     * Counts an attempt before it is made, so that a thousand at once are counted too; returns what
     * takes it back when it was right. Throws 429, whether the account exists or not.
     */
    async begin(attempt: Attempt): Promise<() => Promise<void>> {
      // The limits' store gets no e-mail.
      const id = createHash('sha256').update(attempt.account).digest('base64url');
      const [here, from, at] = await Promise.all([
        pair?.count(`${id} ${attempt.network}`),
        network?.count(attempt.network),
        account?.count(id),
      ]);
      const over = [here, from].find((standing) => standing?.isOver);
      const strange = at?.isOver && !(await isKnownAt(attempt)) ? at : undefined;
      const refusal = over ?? strange;
      if (refusal) throw tooManyAttempts(refusal.resetSeconds);
      return async () => {
        await Promise.all([
          pair?.forget(`${id} ${attempt.network}`),
          network?.giveBack(attempt.network),
          account?.giveBack(id),
        ]);
      };
    },
  };
}

const tooManyAttempts = (seconds: number): AppError =>
  new AppError('too-many-attempts', `Too many attempts; try again in ${seconds} s.`, {
    details: { headers: { 'retry-after': String(seconds) } },
  });
