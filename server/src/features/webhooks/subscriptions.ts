import { publicEventTypes } from '../events/event-types.ts';

const families = [...new Set(publicEventTypes.map((type) => `${type.split('.')[0] ?? ''}.*`))];

/** What a webhook may subscribe to: types, families of types, and everything. */
export const subscriptions: readonly string[] = ['*', ...families, ...publicEventTypes];

const publicTypes = new Set<string>(publicEventTypes);

/** Whether a webhook with these subscriptions gets events of the type. */
export const isSubscribed = (to: readonly string[], type: string): boolean =>
  publicTypes.has(type) &&
  (to.includes('*') || to.includes(type) || to.includes(`${type.split('.')[0] ?? ''}.*`));
