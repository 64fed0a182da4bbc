import type { Operation } from '../server/test/openapi.ts';
import type { Dice } from './dice.ts';

/** Ids by what they are ids of, as far as a request has chosen them or a reply has named them. */
export type Ids = Record<string, string>;

const keptMax = 200;
/** New things are in more states than old ones. */
const recency = 3;

/** What the things are called that a name in a request or a reply refers to. */
const aliases: Readonly<Record<string, string>> = {
  ...{ requester: 'users', assignee: 'users', actor: 'users', author: 'users', me: 'users' },
  ...{ subject: 'tickets', delivery: 'deliveries', test: 'deliveries', redeliver: 'deliveries' },
};

export const kindOf = (name: string): string =>
  aliases[name] ?? (name.endsWith('s') ? name : `${name}s`);

/** What earlier replies named, so that requests are about things that exist, and fit together. */
export type Pool = ReturnType<typeof createPool>;

export function createPool() {
  /** By kind, what each is part of; what was named last stands last. */
  const known = new Map<string, Map<string, Ids>>();

  function add(kind: string, value: string, within: Ids = {}): void {
    const all = known.get(kind) ?? new Map<string, Ids>();
    known.set(kind, all);
    const before = all.get(value);
    all.delete(value);
    all.set(value, { ...before, ...within });
    if (all.size > keptMax) all.delete(all.keys().next().value ?? '');
  }

  function harvest(value: unknown, kind: string, within: Ids): void {
    if (Array.isArray(value)) for (const item of value) harvest(item, kind, within);
    else if (typeof value === 'object' && value !== null) harvestObject(value, kind, within);
  }

  function harvestObject(object: object, kind: string, outside: Ids): void {
    const within = { ...outside, ...referencesOf(object) };
    const { id } = object as { id?: unknown };
    if (typeof id === 'string') {
      add(kind, id, within);
      within[kind] = id;
    }
    for (const [name, child] of Object.entries(object) as [string, unknown][]) {
      const isVersion = name === 'published_version' && typeof child === 'number';
      if (isVersion) add('versions', String(child), within);
      else if (name === 'refresh_token') add('refresh_tokens', child as string);
      else if (name === 'next_cursor' && child !== null) add('cursors', child as string, outside);
      else harvest(child, name === 'data' ? kind : kindOf(name), within);
    }
    for (const [kind, id] of Object.entries(referencesOf(object))) add(kind, id, within);
  }

  return {
    add,
    /** Takes what a reply names; `ids` is what its request was about. */
    harvest({ path, operationId }: Operation, ids: Ids, body: unknown): void {
      const collection = path.split('/').findLast((segment) => !segment.startsWith('{')) ?? '';
      harvest(body, kindOf(collection), { ...ids, operations: operationId });
    },
    /** One that fits what is chosen already, and then is chosen too; undefined when none is known. */
    choose(dice: Dice, kind: string, chosen: Ids): string | undefined {
      const all = [...(known.get(kind) ?? [])];
      const fitting = all.filter(([, within]) => agree(within, chosen));
      if (all.length === 0) return undefined;
      const [value, within] = dice.pick(fitting.length > 0 ? fitting : all, recency);
      const { operations: _operations, ...context } = within;
      Object.assign(chosen, { ...context, ...chosen, [kind]: value });
      return value;
    },
  };
}

const agree = (within: Ids, chosen: Ids): boolean =>
  Object.entries(within).every(([kind, id]) => (chosen[kind] ?? id) === id);

function referencesOf(object: object): Ids {
  // A gap names the tickets where it was asked.
  const { examples: [example] = [] } = object as { examples?: object[] };
  const pairs = Object.entries<unknown>({ ...example, ...object });
  return Object.fromEntries(
    pairs.flatMap(([name, value]) =>
      name.endsWith('_id') && typeof value === 'string' ? [[kindOf(name.slice(0, -3)), value]] : [],
    ),
  );
}
