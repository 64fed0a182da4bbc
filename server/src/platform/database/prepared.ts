import type { CompiledQuery, Kysely } from 'kysely';

/** Stands in a query for a value that is known only when it runs. */
class Slot {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** A query that was built, or a piece of `sql`. */
type Compilable<Tables, Row> = { compile(db: Kysely<Tables>): CompiledQuery<Row> };

/**
 * A query that is built and compiled once for each variant: that takes longer than the database takes
 * to find a row by its id. `variant` is what decides the text, a few plain values; `values` are only
 * bound, never looked at by `build`. Returns the rows.
 */
export function prepared<Tables, Variant extends object, Values extends object, Row>(
  build: (db: Kysely<Tables>, variant: Variant, values: Values) => Compilable<Tables, Row>,
): (db: Kysely<Tables>, variant: Variant, values: Values) => Promise<Row[]> {
  const queries = new Map<string, CompiledQuery<Row>>();
  const slots = new Proxy({} as Values, { get: (_none, name) => new Slot(String(name)) });
  return async (db, variant, values) => {
    const key = JSON.stringify(variant);
    const query = queries.get(key) ?? build(db, variant, slots).compile(db);
    queries.set(key, query);
    const parameters = query.parameters.map((parameter) =>
      parameter instanceof Slot ? values[parameter.name as keyof Values] : parameter,
    );
    const { rows } = await db.executeQuery<Row>({ ...query, parameters });
    return rows;
  };
}
