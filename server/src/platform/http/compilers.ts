import { AjvCompiler, type BuildCompilerFromPool } from '@fastify/ajv-compiler';
import { SerializerSelector } from '@fastify/fast-json-stringify-compiler';
import { isSingleLine } from './single-line.ts';

/*
 * What makes functions of schemas. Most routes share theirs: an id in the path, a ticket as the reply.
 * Compiling each shape once takes a second off the start.
 */

type RoutePart = { schema?: unknown; httpPart?: string; httpStatus?: string };

function once<Route extends RoutePart, Compiled>(
  compile: (route: Route) => Compiled,
): (route: Route) => Compiled {
  const known = new Map<string, Compiled>();
  return (route) => {
    const key = JSON.stringify(route.schema);
    const compiled = known.get(key) ?? compile(route);
    known.set(key, compiled);
    return compiled;
  };
}

/** One for all plugins: it keeps the validators that it has made for the same shapes. */
const validators = AjvCompiler();

/** Bodies are taken as they are; what comes as text (query, path, headers) may become a number or a list. */
export const buildValidator: BuildCompilerFromPool = (externalSchemas) => {
  const build = (coerceTypes: false | 'array') =>
    once<RoutePart, unknown>(
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
  const compile = once(serializers(externalSchemas, options));
  return (route) => (/^[45]|default/.test(route.httpStatus) ? JSON.stringify : compile(route));
};
