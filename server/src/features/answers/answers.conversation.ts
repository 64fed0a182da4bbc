import type { Kysely } from 'kysely';
import type { Tables } from '../../tables.ts';
import type { SettingsService, SettingsView } from '../settings/settings.service.ts';
import type { AnswerRow } from './answers.repository.ts';
import * as repository from './answers.conversation.repository.ts';
import type { Turn } from './answers.conversation.repository.ts';

/** What an answer replies to. Never internal notes, never another customer's words. */
export type Conversation = {
  answerId: string;
  title: string;
  customer: { id: string; name: string; locale: string | null };
  /** The customer's messages that this answer replies to, oldest first. */
  question: readonly Turn[];
  /** The public conversation before them, oldest first. */
  history: readonly Turn[];
  /** The ticket's description. */
  firstMessage: string;
  /** The answer before this one offered a person, found nothing. */
  offered: boolean;
  foundNothingBefore: boolean;
  /** How many answers in a row before this one did not help. */
  troubles: number;
  settings: SettingsView;
};

/** Of what a customer has said only the newest so much is looked at. */
const customerWordsMax = 20_000;

/** What the customer has said on the ticket. */
export const customerWords = ({ title, history, question }: Conversation): string =>
  [
    title,
    ...[...history, ...question]
      .filter((turn) => turn.author_type === 'customer')
      .map((turn) => turn.content),
  ]
    .join('\n')
    .slice(-customerWordsMax)
    .toWellFormed();

/** Messages before the question that are looked at. */
const turnsMax = 40;
const previousMax = 3;

export type ReadConversation = ReturnType<typeof createReadConversation>;

/** Reads all that an answer is made from, beside the articles. */
export function createReadConversation(dependencies: {
  db: Kysely<Tables>;
  settings: SettingsService;
}) {
  const { db, settings } = dependencies;

  return async function readConversation(answer: AnswerRow): Promise<Conversation> {
    const [ticket, turns, ended, answeredSeq, current] = await Promise.all([
      repository.getTicketOf(db, answer),
      repository.listTurns(db, answer.ticket_id, answer.up_to_seq, turnsMax),
      repository.listPrevious(db, answer, previousMax),
      repository.answeredSeq(db, answer),
      settings.get(),
    ]);
    const isQuestion = (turn: Turn) => turn.author_type === 'customer' && turn.seq > answeredSeq;
    const [previous] = ended;
    const helped = ended.findIndex(
      (one) => one.verdict !== 'NO_ANSWER' && one.feedback_helpful !== false,
    );
    return {
      answerId: answer.id,
      title: ticket.title,
      customer: { id: ticket.requester_id, name: ticket.name, locale: ticket.locale },
      question: turns.filter(isQuestion),
      history: turns.filter((turn) => !isQuestion(turn) && turn.author_type !== 'system'),
      firstMessage: ticket.description,
      offered: previous?.handoff_mode === 'offer',
      foundNothingBefore: previous?.verdict === 'NO_ANSWER',
      troubles: helped < 0 ? ended.length : helped,
      settings: current,
    };
  };
}
