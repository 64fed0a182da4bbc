import type { HandoffReason } from '../../tables.ts';

/** What the system says when an answer fails; the assistant's own lines are settings. */
export const lines = {
  incomplete: 'My answer was cut short. A person of our team will read this and reply here.',
  failed: 'I could not write an answer just now. A person of our team will reply here.',
} as const;

/** The reasons that a model may name in its verdict. */
export const modelHandoffReasons: readonly HandoffReason[] = [
  'requested',
  'legal',
  'threat',
  'fraud',
  'privacy',
  'frustration',
];
