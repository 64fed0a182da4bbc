/** What an API key may be allowed. `write` reads too. */
export const scopes = [
  'tickets:read',
  'tickets:write',
  'articles:read',
  'articles:write',
  'events:read',
  'users:read',
  'users:write',
  'webhooks:read',
  'webhooks:write',
  'workspace:read',
  'workspace:write',
] as const;

export type Scope = (typeof scopes)[number];

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Instead of the scope that tag and method say; null: nothing that an API key may do. */
    scope?: Scope | null;
  }
}

/** What the tags of operations are about; null is for people only. */
const areaOfTag: Readonly<Record<string, string | null>> = {
  tickets: 'tickets',
  messages: 'tickets',
  answers: 'tickets',
  knowledge: 'articles',
  events: 'events',
  users: 'users',
  webhooks: 'webhooks',
  workspace: 'workspace',
  'api-keys': null,
  auth: null,
  me: null,
};

const reading = new Set(['GET', 'HEAD']);

type Route = {
  method: string | string[];
  config?: { scope?: Scope | null };
  schema?: { tags?: readonly string[] };
};

/**
 * The scope that an API key needs for a route; null when no key may, undefined when nobody has thought
 * about it, which does not start.
 */
export function scopeOf({ method, config, schema }: Route): Scope | null | undefined {
  if (config?.scope !== undefined) return config.scope;
  const area = areaOfTag[schema?.tags?.[0] ?? ''];
  if (!area) return area as null | undefined;
  const reads = [method].flat().every((name) => reading.has(name));
  const scope = `${area}:${reads ? 'read' : 'write'}`;
  return scopes.find((known) => known === scope);
}

/** Whether a key with these scopes has the one that is needed. */
export const hasScope = (granted: readonly Scope[], needed: Scope): boolean =>
  granted.some((scope) => scope === needed || scope.replace(/:write$/, ':read') === needed);
