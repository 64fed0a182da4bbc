/**
 * The channel of answers that something other than their own run has ended: their runs and readers
 * must hear of it.
 */
export const answersChanged = 'answers.changed';
