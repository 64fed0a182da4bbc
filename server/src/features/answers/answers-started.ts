/** The channel of answers that begin to be written, on whatever instance. */
export const answersStarted = 'answers.started';
