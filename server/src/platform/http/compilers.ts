import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';
import { isSingleLine } from './single-line.ts';

/*
 * What makes functions of schemas. Most routes share theirs: an id in the path, a ticket as the reply.
 * Compiling each shape once takes a second off the start.
 */

type RoutePart = { schema?: unknown; httpPart?: string; httpStatus?: string };

/** By what refers to which shapes: also of the other servers of a process, as tests start them. */
const compiled = new Map<string, Map<string, unknown>>();

function once<Route extends RoutePart, Compiled>(
  what: string,
  shapes: unknown,
  compile: (route: Route) => Compiled,
): (route: Route) => Compiled {
  const name = what + JSON.stringify(shapes);
  const known = (compiled.get(name) ?? new Map()) as Map<string, Compiled>;
  compiled.set(name, known);
  return (route) => {
    const key = JSON.stringify(route.schema);
    const found = known.get(key) ?? compile(route);
    known.set(key, found);
    return found;
  };
}

/** One for all plugins: it keeps the validators that it has made for the same shapes. */
const validators = AjvCompiler();

/** Bodies are taken as they are; what comes as text (query, path, headers) may become a number or a list. */
export const buildValidator: BuildCompilerFromPool = (externalSchemas) => {
  const build = (coerceTypes: false | 'array') =>
    once<RoutePart, unknown>(
      `validators, ${coerceTypes}`,
      externalSchemas,
      validators(externalSchemas, {
        customOptions: {
          removeAdditional: false,
          useDefaults: true,
          allErrors: false,
          coerceTypes,
          formats: { 'single-line': isSingleLine },
        },
      }),
    );
  const strict = build(false);
  const coercing = build('array');
  // The type of the compiler speaks of bare schemas; what comes is a part of a route.
  return ((route: RoutePart) =>
    (route.httpPart === 'body' ? strict : coercing)(route)) as ReturnType<BuildCompilerFromPool>;
};

const serializers = SerializerSelector();

/** Replies of success by their schemas; problem documents are written by `sendFailure`. */
export const buildSerializer: typeof serializers = (externalSchemas, options) => {
  const make = serializers(externalSchemas, options);
  const compile = once('serializers', externalSchemas, make);
  return (route) => (/^[45]|default/.test(route.httpStatus) ? JSON.stringify : compile(route));
};
