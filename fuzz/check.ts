import { createReplyCheck, type Document } from '../server/test/openapi.ts';
import type { TestReply } from '../server/test/reply.ts';
import type { FuzzRequest } from './requests.ts';

/** What is wrong with a reply, in words; undefined when nothing is. */
export type Check = (request: FuzzRequest, reply: TestReply) => string | undefined;

/** Every reply is declared, has the shape that it is declared to have, and is no fault of the server. */
export function createCheck(document: Document): Check {
  const checkReply = createReplyCheck(document);
  return ({ operation, path }, reply) => {
    const { status, headers } = reply;
    const body: unknown = reply.body;
    const isDeclared = operation.responses[String(status)] !== undefined;
    if (status >= 500 && !isDeclared) return `it replied ${status}: ${JSON.stringify(body)}`;
    if (!headers['x-request-id']) return `its ${status} has no x-request-id`;
    if (status >= 400 && status !== 503) {
      if (!headers['content-type']?.startsWith('application/problem+json')) {
        return `its ${status} is ${headers['content-type']}`;
      }
      const { status: named, request_id: id } = body as { status: number; request_id: string };
      if (named !== status || id !== headers['x-request-id']) return `its ${status} is another's`;
    }
    try {
      checkReply(operation.method, path, reply);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
}
