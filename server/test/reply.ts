/** JSON that a test looks into: what it finds there is what it checks. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the one place
export type Json = any;

/** A JSON reply; `body` is undefined when there is none. */
export type TestReply = { status: number; body: Json; headers: Record<string, string> };
