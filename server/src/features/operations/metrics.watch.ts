import { afterCommit } from '../../platform/database/transaction.ts';
import type { AnswersTable, DeliveryState } from '../../tables.ts';
import type { EventConsumer } from '../events/events.relay.ts';
import type { Meters } from './meters.ts';
import type { Selectable } from 'kysely';

type AnswerRow = Selectable<AnswersTable>;

/** What the parts of the process call when something has happened. */
export const createWatch = (meters: Meters) => ({
  request(ended: {
    method: string;
    route: string;
    status: number;
    kind: string;
    code: string | undefined;
    durationMs: number;
    isStream: boolean;
  }): void {
    const { method, route, kind, code } = ended;
    const status = `${Math.floor(ended.status / 100)}xx`;
    if (!ended.isStream)
      meters.requests.observe({ method, route, status }, ended.durationMs / 1_000);
    if (code !== undefined) meters.errors.inc({ code, kind });
  },

  answer: {
    firstText: (seconds: number): void => meters.answerFirstText.observe(seconds),
    ended(answer: AnswerRow, seconds: number): void {
      const { state, provider, model, input_tokens: input, output_tokens: output, cost } = answer;
      meters.answerDuration.observe({ state }, seconds);
      if (provider === null || model === null) return;
      meters.aiTokens.inc({ provider, model, direction: 'in' }, input ?? 0);
      meters.aiTokens.inc({ provider, model, direction: 'out' }, output ?? 0);
      meters.aiCost.inc({ provider, model }, cost ?? 0);
    },
  },

  aiAttempt(attempt: {
    provider: string;
    model: string;
    outcome: string;
    durationMs: number;
  }): void {
    const { durationMs, ...labels } = attempt;
    meters.aiAttempts.observe(labels, durationMs / 1_000);
  },

  webhookAttempt(end: { outcome: string; state: DeliveryState; durationMs: number }): void {
    meters.webhookAttempts.observe({ outcome: end.outcome }, end.durationMs / 1_000);
    if (end.state !== 'pending') meters.deliveriesEnded.inc({ state: end.state });
  },

  /** Of events, which tell of every end of an answer, whoever brought it about. */
  events: (async (db, events) => {
    afterCommit(db, () => {
      for (const { type, data } of events) {
        meters.events.inc({ type });
        if (/^answer\.(completed|handed_off|cancelled|superseded)$/.test(type)) {
          const { state, handoff_reason: reason } = data as Pick<
            AnswerRow,
            'state' | 'handoff_reason'
          >;
          meters.answersEnded.inc({ state, handoff_reason: reason ?? '' });
        }
      }
    });
  }) satisfies EventConsumer,
});
