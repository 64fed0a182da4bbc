/** Events are not any more what they were: who keeps some of them forgets them. */
export const eventsErased = 'events.erased';
