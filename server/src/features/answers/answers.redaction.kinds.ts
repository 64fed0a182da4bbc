export type PersonalDataKind = 'email' | 'phone' | 'card' | 'iban' | 'ssn' | 'ip' | 'secret';

/**
 * One way to find one kind. All quantifiers are bounded: the time grows with the text's length and no
 * faster, whatever somebody writes. `valueIn` says which part of a match, from its start, is the value;
 * behind it, or at the next character when there is none, the pattern is tried again.
 */
export type Detector = {
  kind: PersonalDataKind;
  pattern: RegExp;
  valueIn?(match: string, text: string, start: number): string | undefined;
};
