import type { HandoffReason } from '../../tables.ts';

/** The sentences that the product itself says. They are part of the answer: saved as streamed. */
export const lines = {
  noAnswer:
    'I could not find this in our help articles. Shall I hand your question to a person of our team?',
  handedOff: 'I am handing this to a person of our team. They will reply here.',
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
