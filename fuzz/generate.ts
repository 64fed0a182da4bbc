import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { Dice } from './dice.ts';

/** As much of JSON Schema as request bodies and parameters use. */
export type Schema = {
  $ref?: string;
  type?: string;
  format?: string;
  pattern?: string;
  enum?: unknown[];
  anyOf?: Schema[];
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  minItems?: number;
  maxItems?: number;
  minProperties?: number;
};

/** A value for a property of this name, where a schema alone would make one that leads nowhere. */
export type Meant = (name: string, schema: Schema) => unknown;

const textsMeant = [
  'How long may I return shoes?',
  'Where is my parcel?',
  'I want to talk to a person.',
  'Thank you!',
  'Do you sell tents for elephants?',
  'Größe 42, بسرعة, 配送はいつですか, 🙂',
  '**bold** [link](https://shop.example) `code` <b>x</b>',
];
const alphabet = [...'abc XYZ 0189 .,-_/?!@ äßéЖ中あ한 😀🏽'];
/** What is generated is mostly short: long texts cost time and say little. */
const [lengthUsual, lengthMost, itemsMost] = [30, 3_000, 3];

/** Makes values that fit their schema, at its limits now and then. */
export function createGenerator(components: Record<string, unknown>) {
  return function generate(schema: Schema, dice: Dice, meant: Meant, name = ''): unknown {
    if (schema.$ref) return generate(resolve(schema.$ref), dice, meant, name);
    const own = meant(name, schema);
    if (own !== undefined) return own;
    if (schema.anyOf) return generate(dice.pick(schema.anyOf), dice, meant, name);
    if (schema.enum) return dice.pick(schema.enum);
    if (schema.type === 'object') return objectOf(schema, dice, meant);
    if (schema.type === 'array') {
      const { minItems = 0, maxItems = itemsMost, items = {} } = schema;
      const count = Math.min(maxItems, minItems + dice.below(itemsMost));
      return Array.from({ length: count }, () => generate(items, dice, meant, name));
    }
    if (schema.type === 'boolean') return dice.chance(0.5);
    if (schema.type === 'null') return null;
    return schema.type === 'string' ? textOf(schema, dice) : numberOf(schema, dice);
  };

  function resolve($ref: string): Schema {
    return (components['schemas'] as Record<string, Schema>)[$ref.split('/').at(-1) ?? ''] ?? {};
  }

  function objectOf(schema: Schema, dice: Dice, meant: Meant): object {
    const generate = createGenerator(components);
    const { properties = {}, required = [], minProperties = 0 } = schema;
    const names = Object.keys(properties);
    const chosen = names.filter((name) => required.includes(name) || dice.chance(0.4));
    if (chosen.length < minProperties) chosen.push(dice.pick(names));
    return Object.fromEntries(
      chosen.map((name) => [name, generate(properties[name] ?? {}, dice, meant, name)]),
    );
  }
}

function numberOf({ type, minimum = 0, maximum = 100 }: Schema, dice: Dice): number {
  if (dice.chance(0.2)) return dice.pick([minimum, maximum]);
  const span = maximum - minimum;
  return type === 'integer'
    ? minimum + dice.below(span + 1)
    : minimum + dice.below(101) * (span / 100);
}

function textOf(
  { format, pattern, minLength = 0, maxLength = lengthMost }: Schema,
  dice: Dice,
): string {
  if (format === 'uuid') return randomUUID();
  if (format === 'uri') return 'https://shop.example/help';
  if (format === 'date-time') return timeOf(dice);
  if (pattern && !pattern.includes('u0000')) return textLike(pattern, dice);
  const most = Math.min(maxLength, lengthMost);
  const fitting = textsMeant.filter(({ length }) => length >= minLength && length <= most);
  if (fitting.length > 0 && dice.chance(0.5)) return dice.pick(fitting);
  const usual = minLength + dice.below(Math.max(1, Math.min(most, lengthUsual) - minLength));
  const length = dice.chance(0.1) ? dice.pick([Math.max(1, minLength), most]) : Math.max(1, usual);
  // A text of spaces is no name and no title.
  return `a${Array.from({ length: length - 1 }, () => dice.pick(alphabet)).join('')}`;
}

const timeOf = (dice: Dice): string => new Date(Date.now() - dice.below(600_000)).toISOString();

const textLike = (pattern: string, dice: Dice): string =>
  fc.sample(fc.stringMatching(new RegExp(pattern)), { seed: dice.below(1e9), numRuns: 1 })[0] ?? '';
