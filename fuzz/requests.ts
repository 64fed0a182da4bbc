import { randomUUID } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import type { Document, Operation } from '../server/test/openapi.ts';
import type { Dice } from './dice.ts';
import { createGenerator, type Meant, type Schema } from './generate.ts';
import * as hostile from './hostile.ts';
import { password, type People, type Person } from './people.ts';
import { kindOf, type Ids, type Pool } from './pool.ts';

export type FuzzRequest = {
  operation: Operation;
  who: Person | undefined;
  /** What it is about. */
  ids: Ids;
  path: string;
  headers: Record<string, string>;
  body: Buffer | undefined;
};

/** Where webhooks may go: nothing listens there. */
export const allowedHost = '127.0.0.1:9';
export const metricsToken = 'a-token-that-a-scrape-sends-long-enough';
export const exchangeSecret = 'a secret that a host product shares with us';
const signAsHost = createSigner({ algorithm: 'HS256', key: exchangeSecret });

/** Makes requests as the document describes them, and spoils every other one that need not be good. */
export function createRequests(document: Document, people: People, pool: Pool) {
  const generate = createGenerator(document.components);

  return (operation: Operation, dice: Dice, mustBeGood: boolean): FuzzRequest => {
    // Who scrapes is no user.
    const isScrape = operation.operationId === 'readMetrics';
    const who = isScrape ? undefined : people.pick(dice, mustBeGood ? 3 : 1.5);
    const ids: Ids = {};
    const meant = meantFor(dice, pool, ids);
    const request: FuzzRequest = {
      operation,
      who,
      ids,
      path: pathOf(operation, dice, pool, ids) + queryOf(operation, dice, meant),
      headers: headersOf(operation, dice, pool, ids),
      body: undefined,
    };
    if (who) request.headers['authorization'] = `Bearer ${who.token()}`;
    if (isScrape) request.headers['authorization'] = `Bearer ${metricsToken}`;
    addBody(request, dice, meant);
    const spoilt = !mustBeGood && dice.chance(0.5) ? 1 + dice.below(2) : 0;
    for (let count = 0; count < spoilt; count += 1) dice.pick(spoilings)(request, dice);
    return request;
  };

  function queryOf({ parameters = [] }: Operation, dice: Dice, meant: Meant): string {
    const pairs = parameters
      .filter((parameter) => parameter.in === 'query')
      .filter(({ required }) => required === true || dice.chance(0.25))
      .flatMap(({ name, schema }) =>
        [generate(schema as Schema, dice, meant, name)]
          .flat()
          .map((value) => `${name}=${encodeURIComponent(String(value))}`),
      );
    return pairs.length > 0 ? `?${pairs.join('&')}` : '';
  }

  function addBody(request: FuzzRequest, dice: Dice, meant: Meant): void {
    const { content = {}, required } = request.operation.requestBody ?? {};
    const types = Object.keys(content);
    if (types.length === 0 || (!required && dice.chance(0.3))) return;
    const type = dice.pick(types);
    const value = generate(content[type]?.schema as Schema, dice, meant);
    const isForm = type.includes('form');
    request.headers['content-type'] = type;
    request.body = Buffer.from(
      isForm ? String(new URLSearchParams(value as Record<string, string>)) : JSON.stringify(value),
    );
  }
}

function pathOf({ path }: Operation, dice: Dice, pool: Pool, ids: Ids): string {
  const names = [...path.matchAll(/([\w-]+)\/\{(\w+)\}/g)].reverse();
  // From the right: a delivery knows its webhook.
  for (const [, collection = ''] of names) pool.choose(dice, kindOf(collection), ids);
  return path.replace(
    /([\w-]+)\/\{\w+\}/g,
    (_all, collection: string) => `${collection}/${ids[kindOf(collection)] ?? randomUUID()}`,
  );
}

function headersOf(operation: Operation, dice: Dice, pool: Pool, ids: Ids): Record<string, string> {
  const values: Record<string, () => string | undefined> = {
    'idempotency-key': () => (dice.chance(0.8) ? randomUUID() : `key-${dice.below(20)}`),
    'if-match': () => `"${1 + dice.below(3)}"`,
    'last-event-id': () => pool.choose(dice, 'frames', ids),
  };
  const headers: Record<string, string> = {};
  for (const parameter of operation.parameters ?? []) {
    const value = dice.chance(0.3) ? values[parameter.name]?.() : undefined;
    if (value !== undefined) headers[parameter.name] = value;
  }
  const streams = Object.values(operation.responses).some(
    (reply) => 'content' in reply && reply.content?.['text/event-stream'],
  );
  if (streams && dice.chance(0.5)) headers['accept'] = 'text/event-stream';
  return headers;
}

/** Ids of things that exist, passwords that are right, addresses that are allowed. */
function meantFor(dice: Dice, pool: Pool, ids: Ids): Meant {
  const newEmail = (): string => `${randomUUID()}@example.com`;
  const email = () => (dice.chance(0.7) ? newEmail() : pool.choose(dice, 'emails', ids));
  const values: Record<string, () => unknown> = {
    email,
    username: () => pool.choose(dice, 'emails', ids),
    password: () => password,
    current_password: () => password,
    refresh_token: () => pool.choose(dice, 'refresh_tokens', ids),
    token: hostToken,
    url: () => `http://${allowedHost}/hooks`,
    cursor: () => pool.choose(dice, 'cursors', ids),
    after: () => String(dice.below(2_000)),
    disabled: () => dice.chance(0.1),
  };
  return (name, { format, pattern }) => {
    if (Object.hasOwn(values, name)) return values[name]?.();
    if (!name.endsWith('_id') && format !== 'uuid' && !pattern?.includes('|none|'))
      return undefined;
    return pool.choose(dice, kindOf(name.replace(/_id$/, '')), ids);
  };
}

function hostToken(): string {
  const now = Math.floor(Date.now() / 1_000);
  const [sub, email] = [randomUUID(), `${randomUUID()}@example.com`];
  return signAsHost({ iss: 'shop', sub, email, iat: now, exp: now + 60 });
}

type Spoil = (request: FuzzRequest, dice: Dice) => void;

const spoilings: readonly Spoil[] = [
  spoilValue,
  spoilValue,
  spoilValue,
  (request, dice) => {
    if (request.body) request.body = hostile.brokenBody(request.body.toString(), dice);
  },
  (request, dice) => {
    request.headers['content-type'] = dice.pick(hostile.contentTypes);
    request.body ??= Buffer.from('{}');
  },
  (request, dice) => {
    const [name, values] = dice.pick(Object.entries(hostile.headers));
    request.headers[name] = dice.pick(values);
  },
  (request, dice) => {
    const [path = '', query] = request.path.split('?');
    const more = dice.pick(hostile.queries);
    request.path = `${path}?${query && dice.chance(0.5) ? `${query}&${more}` : more}`;
  },
  (request, dice) => {
    const text = dice.pick(hostile.encodedTexts);
    const { path } = request.operation;
    if (path.includes('{')) request.path = path.replaceAll(/\{\w+\}/g, text);
  },
  (request) => void delete request.headers['authorization'],
];

/** Changes one place of a JSON body: another value, one more, one less. */
function spoilValue(request: FuzzRequest, dice: Dice): void {
  if (!request.headers['content-type']?.startsWith('application/json')) return;
  const root = { body: parsed(request.body) };
  const places = placesOf(root);
  const { parent, name } = dice.pick(places);
  const more = dice.chance(0.2) ? dice.pick(hostile.texts) : 'unknown_field';
  const change = dice.below(4);
  if (change === 0) delete parent[name];
  else if (change === 1) parent[name] = [parent[name]];
  else if (change === 2 && parent !== root) parent[more] = hostile.hostileValue(dice);
  else parent[name] = hostile.hostileValue(dice);
  request.body = Buffer.from(JSON.stringify(root.body) ?? '');
}

function parsed(body: Buffer | undefined): unknown {
  try {
    return JSON.parse(body?.toString() ?? '{}');
  } catch {
    return {};
  }
}

type Place = { parent: Record<string, unknown>; name: string };

function placesOf(parent: Record<string, unknown>, left = { places: 100 }): Place[] {
  return Object.entries(parent).flatMap(([name, value]) => {
    left.places -= 1;
    if (left.places < 0) return [];
    const here: Place = { parent, name };
    if (typeof value !== 'object' || value === null) return [here];
    return [here, ...placesOf(value as Record<string, unknown>, left)];
  });
}
