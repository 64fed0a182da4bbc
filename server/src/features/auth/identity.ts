import { IsEmail } from 'typebox/format';
import { invalidField } from '../../errors.ts';

/** What a name, an e-mail and a password may be; lengths in code points. */
export const nameLengthMax = 100;
export const emailLengthMax = 254;
export const passwordLengthMin = 10;
export const passwordLengthMax = 200;

/** Two spellings of one address are one account. */
export const normalEmail = (email: string): string => email.trim().toLowerCase();

export const isEmail = (email: string): boolean => email.length <= emailLengthMax && IsEmail(email);

/** Where the addresses of who has none live: they never receive mail, and nobody may sign up there. */
const deletedDomain = '@deleted.invalid';
const apiKeyDomain = '@api-key.invalid';
export const deletedEmailOf = (id: string): string => `deleted-${id}${deletedDomain}`;
export const deletedName = 'Deleted user';
export const apiKeyEmailOf = (id: string): string => `${id}${apiKeyDomain}`;
export const isReservedEmail = (email: string): boolean =>
  email.endsWith(deletedDomain) || email.endsWith(apiKeyDomain);

const invisible = /[\p{C}\p{Zl}\p{Zp}]/u;

/** For callers that no schema has checked, such as the command line. */
export function requireAcceptable(person: { email: string; name: string; password: string }): void {
  if (!isEmail(normalEmail(person.email))) {
    throw invalidField('/email', 'format', 'This is not an e-mail address.');
  }
  const nameLength = lengthOf(person.name);
  if (person.name.trim() === '' || nameLength > nameLengthMax || invisible.test(person.name)) {
    const message = `A name is one line of 1 to ${nameLengthMax} characters.`;
    throw invalidField('/name', 'format', message);
  }
  const length = lengthOf(person.password);
  if (length < passwordLengthMin || length > passwordLengthMax) {
    const message = `A password has ${passwordLengthMin} to ${passwordLengthMax} characters.`;
    throw invalidField('/password', 'length', message);
  }
}

/** A name that somebody else's system gave, made into one that we accept. */
export function acceptableName(name: string | undefined, fallback: string): string {
  const visible = (name ?? '').replaceAll(new RegExp(invisible, 'gu'), ' ').trim();
  return [...(visible || fallback)].slice(0, nameLengthMax).join('');
}

const lengthOf = (text: string): number => [...text].length;
