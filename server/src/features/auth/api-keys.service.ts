import { randomUUIDv7 } from 'node:crypto';
import type { Kysely, Transaction } from 'kysely';
import { invalidField, notFound, secretGone } from '../../errors.ts';
import type { Clock } from '../../platform/clock.ts';
import { once, type Idempotency } from '../../platform/database/idempotency.ts';
import { decodeCursor, pageOf, type Page } from '../../platform/database/page.ts';
import { afterCommit, transaction } from '../../platform/database/transaction.ts';
import type { Sealer } from '../../platform/sealing.ts';
import type { Tables } from '../../tables.ts';
import type { Actor } from './actor.ts';
import { apiKeyEmailOf } from './identity.ts';
import { createLiveLookups, isLive } from './live-lookups.ts';
import type { Scope } from './scopes.ts';
import { invalidToken } from './sessions.ts';
import { personOf } from '../events/event-actors.ts';
import type { EventsService } from '../events/events.service.ts';
import { hashOf, isWellFormed, newApiKeyToken, prefixOf } from './api-key-token.ts';
import * as repository from './api-keys.repository.ts';
import type { ApiKeyRow, LiveApiKey } from './api-keys.repository.ts';

export type { ApiKeyRow } from './api-keys.repository.ts';

export type CreateApiKey = {
  name: string;
  role: 'agent' | 'admin';
  scopes: Scope[];
  expiresAt: Date | undefined;
};

/** A key with its token, which is shown when it is new and never again. */
export type WithToken = { key: ApiKeyRow; token: string; replayed: boolean };

/** A use is noted at most this often. */
const useNotedMs = 60_000;

export type ApiKeysService = ReturnType<typeof createApiKeysService>;

/** Keys with which programs act, as members of the team with an account of their own. */
export function createApiKeysService(dependencies: {
  db: Kysely<Tables>;
  events: EventsService;
  clock: Clock;
  sealer: Sealer;
}) {
  const { db, events, clock, sealer } = dependencies;
  const live = createLiveLookups({ read: readLive, clock });

  return {
    async list(
      actor: Actor,
      { limit, cursor }: { limit: number; cursor: string | undefined },
    ): Promise<Page<ApiKeyRow>> {
      const boundTo = ['api-keys', actor.id];
      const after = cursor === undefined ? undefined : decodeCursor(cursor, boundTo);
      const rows = await repository.list(db, { limit, after });
      return pageOf(rows, limit, boundTo, (row) => row.created_at.toISOString());
    },

    /** A repeated request gets the token that it made. */
    async create(
      actor: Actor,
      input: CreateApiKey,
      idempotency: Idempotency | undefined,
    ): Promise<WithToken> {
      const { body, replayed } = await transaction(db, (db) =>
        once(db, actor.id, idempotency, () => insert(db, actor, input)),
      );
      const token = sealer.open(body.token);
      if (token === undefined) throw secretGone();
      const key = await repository.find(db, body.id);
      if (!key) throw notFound();
      return { key, token, replayed };
    },

    /** Ends a key for good, at once here and within half a second elsewhere. */
    async revoke(actor: Actor, id: string): Promise<void> {
      await transaction(db, async (db) => {
        const key = await repository.find(db, id);
        const hash = await repository.revoke(db, id, clock.now());
        if (!key || !hash) throw notFound();
        await record(db, actor, 'api_key.revoked', key);
        afterCommit(db, () => live.forget([hash.toString('hex')]));
      });
    },

    /** Who a key stands for, read from the database within the last half second. */
    async authenticate(token: string): Promise<Actor> {
      const key = isWellFormed(token) && (await live.find(hashOf(token).toString('hex')));
      if (!key) throw invalidToken('The API key is not valid: revoked, expired or mistyped.');
      const { id, role, name, scopes } = key;
      return { id, role, name, sessionId: id, scopes };
    },

    /** For what outlives a request: whether the key would still be let in. */
    async isLive({ id }: Actor): Promise<boolean> {
      const key = await repository.findLive(db, { id });
      return key !== undefined && isLive(key, clock.now());
    },
  };

  async function readLive(hash: string): Promise<LiveApiKey | undefined> {
    const key = await repository.findLive(db, { hash: Buffer.from(hash, 'hex') });
    const now = clock.now();
    const notSince = new Date(now.getTime() - useNotedMs);
    const isNoted = key?.lastUsedAt && key.lastUsedAt > notSince;
    if (key && !isNoted && isLive(key, now)) {
      await repository.recordUse(db, key.id, { now, notSince });
    }
    return key;
  }

  async function insert(
    db: Transaction<Tables>,
    actor: Actor,
    { name, role, scopes, expiresAt = undefined }: CreateApiKey,
  ): Promise<{ id: string; token: string }> {
    const now = clock.now();
    if (expiresAt && expiresAt <= now) {
      throw invalidField('/expires_at', 'past', 'must be in the future');
    }
    const id = randomUUIDv7();
    const token = newApiKeyToken();
    const key = {
      id,
      name,
      role,
      email: apiKeyEmailOf(id),
      token_hash: hashOf(token),
      prefix: prefixOf(token),
      scopes: [...new Set(scopes)],
      created_by: actor.id,
      created_at: now,
      expires_at: expiresAt ?? null,
    };
    await repository.insert(db, key);
    await record(db, actor, 'api_key.created', key);
    return { id, token: sealer.seal(token) };
  }

  async function record(
    db: Transaction<Tables>,
    actor: Actor,
    type: 'api_key.created' | 'api_key.revoked',
    { id, name, role, scopes, expires_at }: repository.NewApiKey | ApiKeyRow,
  ): Promise<void> {
    const data = { id, name, role, scopes, expires_at };
    await events.record(db, { type, actor: personOf(actor), subjectId: id, data });
  }
}
