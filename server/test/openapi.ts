import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import type { Scope } from '../src/features/auth/scopes.ts';

/** The OpenAPI document of the server under test, as far as tests look into it. */
export type Document = {
  openapi: string;
  paths: Record<string, Record<string, RawOperation>>;
  components: Record<string, Record<string, unknown>>;
  security: object[];
};

type Media = { schema: unknown; example?: unknown };
type Reply = { description: string; content?: Record<string, Media> };
type RawOperation = {
  operationId: string;
  summary?: string;
  tags?: string[];
  security?: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; schema: unknown }[];
  requestBody?: { required: boolean; content: Record<string, Media> };
  responses: Record<string, Reply | { $ref: string }>;
};

export type Operation = RawOperation & {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  path: string;
  /** Where it stands in the document, as a JSON pointer. */
  pointer: string;
};

export const operationsOf = (document: Document): Operation[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      method: method as Operation['method'],
      path,
      pointer: `/paths/${escaped(path)}/${method}`,
    })),
  );

/** True when nobody has to say who they are. */
export const isPublic = (operation: Operation): boolean => operation.security?.length === 0;

/** The scope that an API key needs; undefined when no key may. */
export const scopeOf = ({ security }: Operation): Scope | undefined =>
  security?.flatMap(({ apiKey = [] }) => apiKey as Scope[])[0];

export const escaped = (part: string): string => part.replaceAll('~', '~0').replaceAll('/', '~1');

/** Follows a reply to where it is written out: its own place, or the components. */
export function replyAt(document: Document, { pointer, responses }: Operation, status: string) {
  const reply = responses[status];
  if (!reply) return undefined;
  if (!('$ref' in reply)) return { pointer: `${pointer}/responses/${status}`, reply };
  const [, , name = ''] = reply.$ref.slice(2).split('/');
  const shared = document.components['responses']?.[name] as Reply;
  return { pointer: `/components/responses/${name}`, reply: shared };
}

/** What is wrong with a value, by the schema at a JSON pointer of the document; undefined is fine. */
export type Judge = (pointer: string, value: unknown) => string | undefined;

export function createJudge(document: Document): Judge {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat('single-line', true);
  ajv.addSchema(document, 'document');
  const known = new Map<string, ValidateFunction>();
  return (pointer, value) => {
    const validate = known.get(pointer) ?? ajv.compile({ $ref: `document#${encodeURI(pointer)}` });
    known.set(pointer, validate);
    return validate(value) ? undefined : ajv.errorsText(validate.errors, { dataVar: 'it' });
  };
}

type SeenReply = { status: number; headers: Record<string, string>; body: unknown };

/** A reply with one of these says something about the operation itself: it must be declared by name. */
const declaredByName = /^(2\d\d|403|404|409|412|422)$/;

/**
 * Throws when the reply to a request is not what the document says of its operation. Requests that
 * belong to no operation are none of its business.
 */
export function createReplyCheck(document: Document) {
  const judge = createJudge(document);
  const operations = operationsOf(document)
    .map((operation) => ({ operation, matches: patternOf(operation.path) }))
    // `/articles/search` comes before `/articles/{id}`.
    .sort((one, other) => variables(one.operation.path) - variables(other.operation.path));

  return (method: string, url: string, { status, headers, body }: SeenReply): void => {
    const [path = ''] = url.split('?');
    const operation = operations.find(
      ({ operation, matches }) => operation.method === method.toLowerCase() && matches.test(path),
    )?.operation;
    if (!operation) return;
    const problem = problemOf(operation, String(status), headers['content-type'], body);
    if (problem) throw new Error(`${operation.operationId} replied ${status}: ${problem}`);
  };

  function problemOf(operation: Operation, status: string, type = '', body: unknown) {
    const name = operation.responses[status] || declaredByName.test(status) ? status : 'default';
    const declared = replyAt(document, operation, name);
    if (!declared) return 'its description does not declare that';
    const { pointer, reply } = declared;
    if (!reply.content) return body === undefined ? undefined : 'there should be no body';
    const [mediaType = ''] = type.split(';');
    if (!reply.content[mediaType]) return `"${type}" is not a declared content type`;
    // A stream is text, whatever its frames are: the client's tests read those.
    if (mediaType === 'text/event-stream') return undefined;
    return judge(`${pointer}/content/${escaped(mediaType)}/schema`, body);
  }
}

const variables = (path: string): number => path.split('{').length;

const patternOf = (path: string): RegExp =>
  new RegExp(`^${path.replaceAll(/[.]/g, '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
