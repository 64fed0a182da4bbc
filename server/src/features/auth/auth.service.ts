import type { Kysely } from 'kysely';
import { AppError, invalidField, notFound } from '../../errors.ts';
import { transaction } from '../../platform/database/transaction.ts';
import type { IfMatch } from '../../platform/database/version.ts';
import type { Tables } from '../../tables.ts';
import { personOf } from '../events/event-actors.ts';
import type { EventsService } from '../events/events.service.ts';
import type { UserRow, UsersService } from '../users/users.service.ts';
import type { Actor } from './actor.ts';
import type { AccountTokens } from './account-tokens.ts';
import * as repository from './auth.repository.ts';
import { acceptableName, isEmail, normalEmail } from './identity.ts';
import type { Passwords } from './passwords.ts';
import { challenge, sessionEnded, type Grant, type Sessions } from './sessions.ts';
import type { SignInThrottle } from './sign-in-throttle.ts';
import type { ExchangeClaims, Tokens } from './tokens.ts';

/** Where a sign-in comes from, for the list of sessions and the audit log. */
export type Origin = { userAgent: string; ip: string; network: string };

export type LogIn = { email: string; password: string } & Origin;

export type AuthService = ReturnType<typeof createAuthService>;

export function createAuthService(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
  users: UsersService;
  sessions: Sessions;
  passwords: Passwords;
  tokens: Tokens;
  accountTokens: AccountTokens;
  throttle: SignInThrottle;
}) {
  const { db, events, users, sessions, passwords, tokens, accountTokens, throttle } = dependencies;

  return {
    async signUp(input: { email: string; name: string; password: string }): Promise<UserRow> {
      const { email, name } = input;
      const passwordHash = await passwords.hash(input.password);
      return transaction(db, (db) =>
        users.register(db, { email, name, role: 'customer', passwordHash }),
      );
    },

    /** Unknown e-mail, wrong password and disabled user: the same work, the same reply. */
    async logIn(input: LogIn): Promise<Grant> {
      const wasRight = await throttle.begin({
        account: normalEmail(input.email),
        network: input.network,
      });
      // Whose account changes in between is looked at once more, as it is then.
      const grant = (await tryLogIn(input)) ?? (await tryLogIn(input));
      if (!grant) throw wrongLogin();
      await wasRight();
      return grant;
    },

    refresh: sessions.refresh,

    logOut: sessions.leave,

    /** A session for a user that the host product vouches for, who is made on the first visit. */
    async exchange({ token, ...origin }: { token: string } & Origin): Promise<Grant> {
      if (!tokens.exchangeEnabled) throw notFound();
      const claims = tokens.verifyExchange(token);
      const email = normalEmail(claims?.email ?? '');
      if (!claims || !isEmail(email)) {
        throw invalidCredentials('The token is not acceptable; see the description of its claims.');
      }
      const user = await findOrRegister({ ...claims, email });
      if (user.role !== 'customer') throw new AppError('forbidden', 'Staff sign in by password.');
      const credentials = await repository.findCredentials(db, { id: user.id });
      if (!credentials) throw invalidCredentials('This account is disabled.');
      const grant = await openSession(credentials, origin);
      if (!grant) throw invalidCredentials('The account has just changed: sign in again.');
      return grant;
    },

    authenticate: sessions.authenticate,
    isSessionLive: sessions.isLive,

    me: (actor: Actor): Promise<UserRow> => users.get(actor, actor.id),

    updateMe: (
      actor: Actor,
      profile: { name?: string; locale?: string | null },
      ifMatch: IfMatch,
    ): Promise<UserRow> =>
      users.update(actor, actor.id, profile, ifMatch).catch((error: unknown) => {
        // Erased a moment ago, while the session was still believed in.
        const isErased = error instanceof AppError && error.code === 'invalid-state';
        throw isErased ? sessionEnded() : error;
      }),

    async deleteMe(actor: Actor): Promise<void> {
      await users.erase(actor, actor.id, undefined);
    },

    /** Ends every other session, and voids links in mails: who knew the old password is out. */
    async changePassword(
      actor: Actor,
      { current, next }: { current: string; next: string },
    ): Promise<void> {
      // A stolen session must not become a password.
      const wasRight = await throttle.begin({ account: actor.id, network: actor.id });
      const credentials = await repository.findCredentials(db, { id: actor.id });
      const isRight = await passwords.verify(current, credentials?.password_hash);
      if (!credentials || !isRight) throw wrongCurrentPassword();
      await wasRight();
      const hash = await passwords.hash(next);
      await transaction(db, async (db) => {
        const isReplaced = await repository.replacePasswordHash(db, credentials, hash);
        if (!isReplaced) throw wrongCurrentPassword();
        await sessions.revokeAll(db, actor.id, actor.sessionId);
        await accountTokens.voidAll(db, actor.id);
        await events.record(db, {
          type: 'user.password_changed',
          actor: personOf(actor),
          subjectId: actor.id,
          data: { id: actor.id },
        });
      });
    },

    listSessions: sessions.list,
    revokeSession: sessions.revoke,
  };

  /** Undefined when the account changed between the check of the password and the session. */
  async function tryLogIn({ email, password, ...origin }: LogIn): Promise<Grant | undefined> {
    const known = await repository.findCredentials(db, { email: normalEmail(email) });
    const isRight = await passwords.verify(password, known?.password_hash);
    if (!known?.password_hash || !isRight) throw wrongLogin();
    if (!passwords.needsRehash(known.password_hash)) return openSession(known, origin);
    const password_hash = await passwords.hash(password);
    await repository.replacePasswordHash(db, known, password_hash);
    return openSession({ ...known, password_hash }, origin);
  }

  /** Undefined when the credentials are not the user's any more. */
  async function openSession(
    credentials: repository.Credentials,
    { userAgent, ip, network }: Origin,
  ): Promise<Grant | undefined> {
    return transaction(db, async (db) => {
      const user = await repository.holdForSignIn(db, credentials);
      if (!user) return undefined;
      await events.record(db, {
        type: 'user.signed_in',
        actor: personOf(user),
        subjectId: user.id,
        data: { id: user.id, role: user.role, ip },
      });
      return sessions.open(db, user.id, { userAgent, network });
    });
  }

  async function findOrRegister(claims: ExchangeClaims): Promise<UserRow> {
    const { issuer, subject, email } = claims;
    const known = await users.findExternal(issuer, subject);
    if (known) return known;
    const name = acceptableName(claims.name, email.slice(0, email.indexOf('@')));
    const external = { issuer, subject };
    try {
      return await transaction(db, (db) =>
        users.register(db, { email, name, role: 'customer', passwordHash: null, external }),
      );
    } catch (error) {
      // Two requests of one new user at once: the first to commit made the account for both.
      const winner = await users.findExternal(issuer, subject);
      if (winner) return winner;
      throw error;
    }
  }
}

const invalidCredentials = (message: string): AppError =>
  new AppError('invalid-credentials', message, { details: { headers: challenge } });

const wrongLogin = (): AppError => invalidCredentials('The e-mail or the password is wrong.');

const wrongCurrentPassword = (): AppError =>
  invalidField('/current_password', 'incorrect', 'This is not your current password.');
