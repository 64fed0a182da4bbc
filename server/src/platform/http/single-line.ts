/** Control and direction-changing characters make a title or a name lie about what it says. */
const deceptiveCharacters =
  // eslint-disable-next-line no-control-regex -- control characters are what it looks for
  /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

/** True for text that shows as it is, on one line, and is not empty. */
export const isSingleLine = (text: string): boolean =>
  !deceptiveCharacters.test(text) && /\S/.test(text);
