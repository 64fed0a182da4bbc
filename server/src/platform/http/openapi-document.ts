/*
 * What @fastify/swagger does not do by itself: it drops examples that stand next to a `$ref`, calls
 * every reply "Default Response", takes every body for required, and writes shapes out in place, for
 * which generated clients then have no name.
 */

type Schema = Record<string, unknown>;
type Media = { schema?: Schema; example?: unknown };
type Reply = { description?: string; content?: Record<string, Media> };
type Body = { required?: boolean; content: Record<string, Media> };
type Operation = {
  operationId?: string;
  requestBody?: Body;
  responses?: Record<string, Reply>;
};

/** The part of an OpenAPI document that is touched here. */
export type Document = {
  paths?: Record<string, Record<string, Operation>>;
  webhooks?: Record<string, object>;
  components?: { schemas?: Record<string, Schema>; responses?: Record<string, Reply> };
};

const descriptions: Record<string, string> = {
  200: 'Done.',
  201: 'Created.',
  202: 'Accepted; the work goes on in the background.',
  204: 'Done; there is nothing to say.',
};

/** A route's reply schemas as OpenAPI has them: described, by media type, each with its example. */
export function documentedReplies(replies: unknown): Record<string, unknown> | undefined {
  if (typeof replies !== 'object' || replies === null) return undefined;
  return Object.fromEntries(
    Object.entries(replies as Record<string, Schema>).map(([status, reply]) => {
      const description = reply['description'] ?? descriptions[status];
      if (reply['type'] === 'null') return [status, { ...reply, description }];
      const content = (reply['content'] as Record<string, Media> | undefined) ?? {
        'application/json': { schema: reply },
      };
      return [status, { description, content: mapValues(content, withExample) }];
    }),
  );
}

function withExample({ schema = {}, ...media }: Media): Media {
  const { examples, ...rest } = schema;
  return {
    ...media,
    schema: rest,
    ...(Array.isArray(examples) && { example: examples[0] as unknown }),
  };
}

const replyNames: Record<string, string> = {
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  412: 'PreconditionFailed',
  422: 'Unprocessable',
  default: 'Failure',
};

/** Moves bodies, replies and error replies to the components, under names made of the operation's. */
export function withNamedShapes<Given extends Document>(document: Given): Given {
  const schemas = (document.components ??= {}).schemas ?? {};
  const responses: Record<string, Reply> = {};
  const nameOfShape = new Map<string, string>();

  for (const { operationId = '', requestBody, responses: replies } of operationsOf(document)) {
    const prefix = operationId.charAt(0).toUpperCase() + operationId.slice(1);
    for (const [type, media] of Object.entries(requestBody?.content ?? {})) {
      if (requestBody && allowNoBody(media)) requestBody.required = false;
      refer(media, `${prefix}${type.includes('form') ? 'Form' : 'Body'}`);
    }
    for (const [status, reply] of Object.entries(replies ?? {})) {
      const name = replyNames[status];
      if (name && replies) {
        responses[name] ??= reply;
        replies[status] = { $ref: `#/components/responses/${name}` } as Reply;
      } else if (reply.content?.['application/json']) {
        refer(reply.content['application/json'], `${prefix}Reply`);
      }
    }
  }
  document.components = { ...document.components, schemas, responses };
  return document;

  function refer(media: Media, name: string): void {
    const { schema } = media;
    if (!schema || '$ref' in schema || Object.keys(schema['properties'] ?? {}).length === 0) return;
    const text = JSON.stringify(schema);
    const known = nameOfShape.get(text) ?? name;
    nameOfShape.set(text, known);
    schemas[known] = schema;
    media.schema = { $ref: `#/components/schemas/${known}` };
  }
}

/** Adds the requests that the server makes of others. */
export function withOutgoing<Given extends Document>(
  document: Given,
  { webhooks, schemas }: { webhooks: Record<string, object>; schemas: Record<string, object> },
): Given {
  const components = { ...document.components };
  components.schemas = { ...components.schemas, ...(schemas as Record<string, Schema>) };
  return { ...document, components, webhooks };
}

/** Takes "or null" out of a body's schema: in HTTP that is a request without one. */
function allowNoBody(media: Media): boolean {
  const options = media.schema?.['anyOf'] as Schema[] | undefined;
  const [body, none] = options ?? [];
  if (options?.length !== 2 || !body || none?.['type'] !== 'null') return false;
  media.schema = body;
  return true;
}

const operationsOf = (document: Document): Operation[] =>
  Object.values(document.paths ?? {}).flatMap((path) => Object.values(path));

const mapValues = <From, To>(values: Record<string, From>, change: (value: From) => To) =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, change(value)]));
