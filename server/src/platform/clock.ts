/** The time, as a port: tests move it, nothing else replaces it. */
export type Clock = { now(): Date };

export const systemClock: Clock = { now: () => new Date() };
