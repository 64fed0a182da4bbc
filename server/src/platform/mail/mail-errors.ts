/** `refused`: the other server will not take this mail, however often it is sent. */
export type SendOutcome = 'sent' | 'refused';

/**
 * What a failed attempt means. Only a final no (5xx) to the recipient or to the text is about the
 * mail; one to the login or the sender is about our configuration, which can be mended.
 */
export function outcomeOf(error: unknown): SendOutcome {
  const { code, responseCode, command } = error as Partial<Record<string, unknown>>;
  // `API`: the address is none in the eyes of SMTP, and nobody was asked.
  const isFinal = command === 'API' || (typeof responseCode === 'number' && responseCode >= 500);
  const isAboutMail = code === 'EMESSAGE' || (code === 'EENVELOPE' && command !== 'MAIL FROM');
  if (isFinal && isAboutMail) return 'refused';
  // What servers say has addresses in it, which belong neither into a log nor into a job.
  if (typeof responseCode === 'number') {
    throw new Error(`The mail server said ${responseCode} to ${String(command)}.`);
  }
  throw error;
}
