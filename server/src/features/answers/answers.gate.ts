import type { Passage } from '../knowledge/knowledge.service.ts';

/** Whether there is evidence to answer from. Without any, no model is asked and no token spent. */
export const hasEvidence = (passages: readonly Passage[]): boolean => passages.length > 0;
