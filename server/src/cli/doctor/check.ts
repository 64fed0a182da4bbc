/** What was looked at: how it is, and when it is not well, what to do about it. */
export type Check = { name: string; ok: boolean; detail: string; fix?: string };
