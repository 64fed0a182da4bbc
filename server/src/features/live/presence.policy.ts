import type { PresenceState, Role } from '../../tables.ts';
import { isStaff, type Actor } from '../auth/actor.ts';

/** Tickets where somebody came, left, or went from viewing to typing or back. */
export const presenceChanged = 'presence.changed';
/** Tickets where a member of the team began or ceased to type: all that their customers see of it. */
export const typingChanged = 'presence.typing';

/** Somebody at a ticket. */
export type Person = { user_id: string; name: string; role: Role; state: PresenceState };

/** A state before and after; undefined: not there. */
export type Move = {
  role: Role;
  from: PresenceState | undefined;
  to: PresenceState | undefined;
};

export const isSeenByCustomer = ({ role, from, to }: Move): boolean =>
  isStaff({ role }) && (from === 'typing') !== (to === 'typing');

/** A customer sees that an answer is being typed, and never who looks at the ticket. */
export const seenByCustomer = (people: Person[]): Person[] =>
  people.filter((person) => isStaff(person) && person.state === 'typing');

/** Who else is there, as the actor may see it. */
export const othersSeenBy = (actor: Actor, people: Person[]): Person[] =>
  (isStaff(actor) ? people : seenByCustomer(people)).filter(({ user_id }) => user_id !== actor.id);
