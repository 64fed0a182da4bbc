/** Languages whose words PostgreSQL can reduce to their stems; `simple` leaves words as they are. */
export const languages = [
  'english',
  'arabic',
  'danish',
  'dutch',
  'finnish',
  'french',
  'german',
  'hungarian',
  'italian',
  'norwegian',
  'portuguese',
  'romanian',
  'russian',
  'simple',
  'spanish',
  'swedish',
  'turkish',
] as const;

export type Language = (typeof languages)[number];

export const defaultLanguage: Language = 'english';

/** What a workspace decides about its assistant. */
export type Settings = {
  /** Of the articles: how their words are reduced to stems. */
  language: Language;
  /** What the assistant should know and heed beside the articles: tone, names, limits. */
  guidance: string;
  /** How sure the gate must be, from 0 to 1, that the first passage answers the question. */
  answer_threshold: number;
  /** Links may start with one of these, beside those that stand in a passage. */
  allowed_urls: string[];
  /** The sentences that the product itself says. They are part of the answer: saved as streamed. */
  lines: {
    no_answer: string;
    handed_off: string;
    offer: string;
    greeting: string;
    thanks: string;
  };
};

export const defaultSettings: Settings = {
  language: defaultLanguage,
  guidance: '',
  answer_threshold: 0.5,
  allowed_urls: [],
  lines: {
    no_answer:
      'I could not find this in our help articles. Shall I hand your question to a person of our team?',
    handed_off: 'I am handing this to a person of our team. They will reply here.',
    offer: 'If this does not help: shall I hand your question to a person of our team?',
    greeting: 'Hello! What can I help you with?',
    thanks: 'You are welcome! Write here whenever you need anything else.',
  },
};
