import type { Kysely, Transaction } from 'kysely';
import { AppError, invalidField, notFound } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { once, type Effect, type Idempotency } from '../../platform/database/idempotency.ts';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import { transaction, violates } from '../../platform/database/transaction.ts';
import { requireVersion, type IfMatch } from '../../platform/database/version.ts';
import type { Role, Tables } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import {
  deletedEmailOf,
  deletedName,
  isReservedEmail,
  normalEmail,
  requireAcceptable,
} from '../auth/identity.ts';
import type { Passwords } from '../auth/passwords.ts';
import type { Sessions } from '../auth/sessions.ts';
import { personOf } from '../events/event-actors.ts';
import { userObject } from '../events/event-objects.ts';
import type { EventActor, EventsService } from '../events/events.service.ts';
import { listable, requireMayManage, type UserChange, type UserFilter } from './users.policy.ts';
import * as repository from './users.repository.ts';
import type { UserChanges, UserRow } from './users.repository.ts';

export type { UserRow } from './users.repository.ts';

export type ListUsers = { filter: UserFilter; limit: number; cursor: string | undefined };

export type CreateUser = { email: string; name: string; role: Role; password?: string };

/** Leaves the mail with a link to choose a password, in the caller's transaction. */
export type SendInvitation = (db: Transaction<Tables>, userId: string) => Promise<void>;

/** Leaves the job that takes away what the person wrote, in the caller's transaction. */
export type SendErase = (db: Transaction<Tables>, userId: string) => Promise<void>;

/** An account to be; one without a password signs in through its host product only. */
export type NewAccount = {
  email: string;
  name: string;
  role: Role;
  passwordHash: string | null;
  external?: { issuer: string; subject: string };
};

export type UsersService = ReturnType<typeof createUsersService>;

export function createUsersService(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
  clock: Clock;
  sessions: Sessions;
  passwords: Passwords;
  /** Undefined: the server sends no mail. */
  sendInvitation: SendInvitation | undefined;
  sendErase: SendErase;
}) {
  const { db, events, clock, sessions, passwords, sendInvitation, sendErase } = dependencies;

  return {
    async list(actor: Actor, { filter, limit, cursor }: ListUsers): Promise<Page<UserRow>> {
      const visible = listable(actor, filter);
      const boundTo = ['users', actor.id, visible];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo);
      const rows = await repository.list(db, visible, { limit, after });
      return pageOf(rows, limit, boundTo, (row) => row.created_at.toISOString());
    },

    async get(_actor: Actor, id: string): Promise<UserRow> {
      return getUser(id);
    },

    async create(
      actor: Actor,
      { password, ...person }: CreateUser,
      idempotency: Idempotency | undefined,
    ): Promise<{ user: UserRow; replayed: boolean }> {
      requireMayManage(actor, person);
      if (password === undefined && !sendInvitation) throw passwordRequired();
      const passwordHash = password === undefined ? null : await passwords.hash(password);
      const { body, replayed } = await transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          const user = await register(db, { ...person, passwordHash }, personOf(actor));
          if (passwordHash === null) await invite(db, personOf(actor), user.id);
          return { userId: user.id };
        }),
      );
      return { user: await getUser(body.userId), replayed };
    },

    async update(actor: Actor, id: string, change: UserChange, ifMatch: IfMatch): Promise<UserRow> {
      requireMayManage(actor, change);
      return transaction(db, async (db) => {
        const mayLoseAdmin = change.role !== undefined || change.disabled !== undefined;
        const admins = mayLoseAdmin ? await repository.lockAdmins(db) : [];
        const user = await repository.lock(db, id);
        if (!user) throw notFound();
        requireMayManage(actor, user);
        if (isReservedEmail(user.email)) {
          throw new AppError('invalid-state', 'This user is deleted.');
        }
        requireVersion(user, ifMatch);
        const changes = changesOf(user, change, clock.now());
        return apply(db, personOf(actor), admins, user, changes);
      });
    },

    /** A new link for who has not chosen a password yet; the earlier ones are void. */
    async invite(
      actor: Actor,
      id: string,
      idempotency: Idempotency | undefined,
    ): Promise<Effect<object>> {
      return transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          const user = await repository.lock(db, id);
          if (!user) throw notFound();
          requireMayManage(actor, user);
          requireInvitable(user);
          await invite(db, personOf(actor), user.id);
          return {};
        }),
      );
    },

    /**
     * Ends the account and forgets the person at once; what they wrote goes in the background. Of
     * who is forgotten already, what is left goes.
     */
    async erase(
      actor: Actor,
      id: string,
      idempotency: Idempotency | undefined,
    ): Promise<Effect<object>> {
      return transaction(db, (db) =>
        once(db, actor.id, idempotency, async () => {
          await forget(db, actor, id);
          await sendErase(db, id);
          return {};
        }),
      );
    },

    register,

    findExternal: (issuer: string, subject: string): Promise<UserRow | undefined> =>
      repository.findExternal(db, issuer, subject),

    /** For the command line: the first admin of a workspace, or one more. */
    async createAdmin(person: { email: string; name: string; password: string }): Promise<UserRow> {
      requireAcceptable(person);
      const { email, name } = person;
      const passwordHash = await passwords.hash(person.password);
      const by: EventActor = { type: 'system', id: null };
      return transaction(db, (db) =>
        register(db, { email, name, role: 'admin', passwordHash }, by),
      );
    },
  };

  async function forget(db: Transaction<Tables>, actor: Actor, id: string): Promise<void> {
    const admins = await repository.lockAdmins(db);
    const user = await repository.lock(db, id);
    if (!user) throw notFound();
    if (user.erase_requested_at) return;
    const now = clock.now();
    await apply(db, personOf(actor), admins, user, {
      email: deletedEmailOf(user.id),
      name: deletedName,
      password_hash: null,
      external_issuer: null,
      external_subject: null,
      locale: null,
      disabled_at: now,
      erase_requested_at: now,
    });
  }

  async function invite(db: Transaction<Tables>, by: EventActor, userId: string): Promise<void> {
    if (!sendInvitation) throw new AppError('mail-off', 'This server sends no mail.');
    await sendInvitation(db, userId);
    await events.record(db, {
      type: 'user.invited',
      actor: by,
      subjectId: userId,
      data: { id: userId },
    });
  }

  async function getUser(id: string): Promise<UserRow> {
    const user = await repository.find(db, id);
    if (!user) throw notFound();
    return user;
  }

  /** Adds an account in the caller's transaction; without `by` the person signs up by themselves. */
  async function register(
    db: Transaction<Tables>,
    account: NewAccount,
    by?: EventActor,
  ): Promise<UserRow> {
    const user = await insert(db, account);
    await events.record(db, {
      type: 'user.created',
      actor: by ?? { type: 'customer', id: user.id },
      subjectId: user.id,
      data: userObject(user),
    });
    return user;
  }

  async function insert(db: Transaction<Tables>, account: NewAccount): Promise<UserRow> {
    const email = normalEmail(account.email);
    if (isReservedEmail(email)) {
      throw invalidField('/email', 'reserved', 'Nobody can receive mail at this address.');
    }
    const { name, role, passwordHash, external } = account;
    const identity = {
      external_issuer: external?.issuer ?? null,
      external_subject: external?.subject ?? null,
    };
    try {
      const user = { email, name, role, password_hash: passwordHash, ...identity };
      return await repository.insert(db, user, clock.now());
    } catch (error) {
      if (!violates(error, 'users_email_key')) throw error;
      throw new AppError('email-taken', 'There is an account with this e-mail already.');
    }
  }

  /** Changes a locked user, while the admins are locked too. */
  async function apply(
    db: Transaction<Tables>,
    by: EventActor,
    admins: readonly string[],
    user: UserRow,
    changes: UserChanges,
  ): Promise<UserRow> {
    if (Object.keys(changes).length === 0) return user;
    const losesAdmin = canAdminister(user) && !canAdminister({ ...user, ...changes });
    if (losesAdmin && admins.every((id) => id === user.id)) {
      throw new AppError('last-admin', 'This is the last admin: appoint another one first.');
    }
    const updated = await repository.update(db, user.id, changes, clock.now());
    if (changes.disabled_at) await sessions.revokeAll(db, user.id);
    await events.record(db, {
      type: 'user.updated',
      actor: by,
      subjectId: user.id,
      // A name is personal: the event tells that it changed, not from what to what.
      data: { ...userObject(updated), name_changed: updated.name !== user.name },
      previous: userObject(user),
    });
    return updated;
  }
}

const canAdminister = (user: Pick<UserRow, 'role' | 'disabled_at' | 'password_hash'>): boolean =>
  user.role === 'admin' && user.disabled_at === null && user.password_hash !== null;

const passwordRequired = (): AppError =>
  invalidField(
    '/password',
    'required',
    'This server sends no mail, so it cannot invite: a password is needed.',
  );

function requireInvitable(user: UserRow): void {
  const problem =
    (user.password_hash !== null && 'This user has a password already.') ||
    (user.external_issuer !== null && 'This user signs in through another product.') ||
    (user.disabled_at !== null && 'This user is disabled.');
  if (problem) throw new AppError('invalid-state', problem);
}

/** Only what really differs counts as a change. */
function changesOf(
  user: UserRow,
  { name, locale, role, disabled }: UserChange,
  now: Date,
): UserChanges {
  const isDisabled = user.disabled_at !== null;
  return {
    ...(name !== undefined && name !== user.name && { name }),
    ...(locale !== undefined && locale !== user.locale && { locale }),
    ...(role !== undefined && role !== user.role && { role }),
    ...(disabled !== undefined &&
      disabled !== isDisabled && { disabled_at: disabled ? now : null }),
  };
}
