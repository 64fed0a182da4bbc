import { Type, type Static } from 'typebox';
import {
  closed,
  Id,
  named,
  nullable,
  oneOf,
  pageQuery,
  Time,
} from '../../platform/http/schemas.ts';
import { scopes } from './scopes.ts';
import { PersonName } from '../users/users.schemas.ts';
import type { ApiKeyRow } from './api-keys.service.ts';

const roles = ['agent', 'admin'] as const;

const apiKeyFields = {
  id: Id,
  name: Type.String(),
  prefix: Type.String({ description: 'How its token begins.' }),
  role: oneOf(roles),
  scopes: Type.Array(oneOf(scopes)),
  created_by: Type.Object({ id: Id, name: Type.String() }, closed),
  created_at: Time,
  expires_at: nullable({ ...Time, description: 'An expired key is listed until it is revoked.' }),
  last_used_at: nullable({ ...Time, description: 'To the minute.' }),
};

export const ApiKey = named('ApiKey', Type.Object(apiKeyFields, closed));

export const ApiKeyWithToken = named(
  'ApiKeyWithToken',
  Type.Object(
    {
      ...apiKeyFields,
      token: Type.String({
        description: 'Send it as `Authorization: Bearer …`. It is not shown again.',
      }),
    },
    closed,
  ),
);

export const CreateApiKeyBody = Type.Object(
  {
    name: PersonName,
    role: Type.Optional(
      oneOf(roles, {
        default: 'agent',
        description: 'Whom it acts like; within that, its scopes say what it may do.',
      }),
    ),
    scopes: Type.Array(oneOf(scopes), {
      minItems: 1,
      maxItems: scopes.length,
      description: '`write` reads too.',
    }),
    expires_at: Type.Optional(nullable({ ...Time, description: 'Without one it has no end.' })),
  },
  {
    ...closed,
    examples: [{ name: 'Shop integration', scopes: ['tickets:write', 'users:read'] }],
  },
);

export const ListApiKeysQuery = Type.Object(pageQuery, closed);

export const exampleApiKey: Static<typeof ApiKey> = {
  id: '0199f3a2-4d5e-7f60-8a1b-2c3d4e5f6a01',
  name: 'Shop integration',
  prefix: 'sa_Xk3fQ',
  role: 'agent',
  scopes: ['tickets:write', 'users:read'],
  created_by: { id: '0199f39d-1111-7c0d-9e8f-1a3b5c7d9e66', name: 'Ada Lovelace' },
  created_at: '2026-11-02T09:00:00.000Z',
  expires_at: null,
  last_used_at: '2026-11-02T10:12:00.000Z',
};

export const exampleWithToken: Static<typeof ApiKeyWithToken> = {
  ...exampleApiKey,
  last_used_at: null,
  token: 'sa_Xk3fQ…',
};

/** A key on the wire. */
export const presentApiKey = (key: ApiKeyRow): Static<typeof ApiKey> => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  role: key.role === 'admin' ? 'admin' : 'agent',
  scopes: key.scopes,
  created_by: { id: key.created_by, name: key.creator_name },
  created_at: key.created_at.toISOString(),
  expires_at: key.expires_at?.toISOString() ?? null,
  last_used_at: key.last_used_at?.toISOString() ?? null,
});
