import { Type, type Static, type TSchema } from 'typebox';
import { problemOf } from './problem.ts';

/** A reference to a shape that has an `$id`, so that it appears once in the OpenAPI document. */
export const ref = <Schema extends TSchema & { $id: string }>(schema: Schema) =>
  Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` });

/** A shape with a name of its own in the OpenAPI document. */
export const named = <Schema extends TSchema>(
  id: string,
  schema: Schema,
): Schema & { $id: string } => Object.assign(schema, { $id: id });

/** The format alone would let `urn:uuid:…` pass, which PostgreSQL refuses. */
export const uuid = (options: object = {}) =>
  Type.String({ format: 'uuid', pattern: '^[0-9a-fA-F-]{36}$', ...options });

export const Id = uuid();
export const Time = Type.String({ format: 'date-time' });

export const nullable = <Schema extends TSchema>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);

/** One of a fixed set of words, as `enum` (smaller in documents and errors than a union of constants). */
export const oneOf = <const Words extends readonly string[]>(
  words: Words,
  options: Record<string, unknown> = {},
) => Type.Unsafe<Words[number]>({ type: 'string', enum: words, ...options });

/** One line of text without control or direction-changing characters; lengths count code points. */
export const singleLine = (minLength: number, maxLength: number, options: object = {}) =>
  Type.String({ minLength, maxLength, format: 'single-line', ...options });

export const closed = { additionalProperties: false } as const;

/** For operations without parameters in the query: any is one that they do not know. */
export const NoQuery = Type.Object({}, closed);

/** For actions that need no more than their address: no body, or an empty one. */
export const EmptyBody = { ...nullable(Type.Object({}, closed)), examples: [{}] };

export const idempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({ description: 'The same key has its effect once, for 24 hours.' }),
  ),
});

export const ifMatchHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The ETag that the change is based on; without it, any will do.' }),
  ),
});

/** Path parameters `{id}`; a malformed id is a 404 like any other id that is not there. */
export const IdParams = Type.Object({ id: Id }, closed);

export const pageOf = <Schema extends TSchema>(row: Schema) =>
  Type.Object(
    {
      data: Type.Array(row),
      next_cursor: nullable(
        Type.String({
          description: 'Pass it as `cursor` for the next page; null on the last one.',
        }),
      ),
    },
    closed,
  );

export const pageQuery = {
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 25 })),
  cursor: Type.Optional(Type.String({ maxLength: 500 })),
};

export const Problem = named(
  'Problem',
  Type.Object(
    {
      type: Type.String(),
      title: Type.String(),
      status: Type.Integer(),
      detail: Type.String(),
      code: Type.String({ description: 'Stable; docs/errors.md lists all.' }),
      request_id: Type.String(),
      retryable: Type.Boolean({ description: 'Whether the same request may succeed later.' }),
      errors: Type.Optional(
        Type.Array(
          Type.Object(
            {
              pointer: Type.String(),
              code: Type.String(),
              message: Type.String(),
            },
            closed,
          ),
        ),
      ),
    },
    { ...closed, description: 'RFC 9457 problem document.' },
  ),
);

/**
 * The error replies of an operation: those of its own by name, the common ones (400, 401, 405, 413,
 * 415, 429, 500, 503) once as `default`.
 */
export const problems = (...statuses: (403 | 404 | 409 | 412 | 422)[]) => ({
  ...Object.fromEntries(statuses.map((status) => [status, failures[status]])),
  default: failures.default,
});

const failure = (
  description: string,
  status: number,
  code: string,
  detail: string,
  pointer = '',
) => {
  const errors = pointer ? [{ pointer, code: 'minLength', message: detail }] : undefined;
  const example = problemOf(
    { status, code, detail, errors },
    '7c9f2b1e-3d4a-4f60-9b8e-5a1c0d2e4f68',
  );
  return {
    description,
    content: { 'application/problem+json': { schema: { ...ref(Problem), examples: [example] } } },
  };
};

const failures = {
  403: failure('The role lacks this function.', 403, 'forbidden', 'Your role may not do this.'),
  404: failure(
    'Not there, not yours, or not an id.',
    404,
    'not-found',
    'There is nothing here for you.',
  ),
  409: failure(
    'The state of the object does not allow it.',
    409,
    'ticket-closed',
    'The ticket is closed.',
  ),
  412: failure(
    'The object has changed since it was read.',
    412,
    'version-mismatch',
    'The ticket has changed since you read it.',
  ),
  422: failure(
    'A value is not acceptable.',
    422,
    'validation-failed',
    'must NOT have fewer than 3 characters',
    '/title',
  ),
  default: failure(
    'Any other failure.',
    401,
    'unauthenticated',
    'Send an access token to do this.',
  ),
};
