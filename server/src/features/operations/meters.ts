import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const answerSeconds = [0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60];
const attemptSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

const named = (name: string): string => `support_assistant_${name}`;

/**
 * What is counted while it happens, by this process. A label has as many values as the code has words
 * for it, or as the configuration has models: never an id.
 */
export function createMeters(registry: Registry) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: named(name), help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    buckets: number[],
  ) => new Histogram({ name: named(name), help, labelNames, buckets, registers });

  return {
    requests: histogram(
      'http_request_duration_seconds',
      'Time to reply, without streams, by route pattern and class of status.',
      ['method', 'route', 'status'],
      requestSeconds,
    ),
    errors: counter(
      'http_errors_total',
      'Replies with an error, by its code and by the kind of request as limits count it.',
      ['code', 'kind'],
    ),
    events: counter('events_total', 'Events passed on by this process, by type.', ['type']),
    answersEnded: counter(
      'answers_ended_total',
      'Answers that ended, by state and by reason of the hand-over.',
      ['state', 'handoff_reason'],
    ),
    answerFirstText: histogram(
      'answer_first_text_seconds',
      'From the start of an answer to its first text that readers see.',
      [],
      answerSeconds,
    ),
    answerDuration: histogram(
      'answer_duration_seconds',
      'From the start of an answer to its end, by its state.',
      ['state'],
      answerSeconds,
    ),
    aiAttempts: histogram(
      'ai_attempt_duration_seconds',
      'Requests to AI providers, by outcome.',
      ['provider', 'model', 'outcome'],
      answerSeconds,
    ),
    aiTokens: counter('ai_tokens_total', 'Tokens of answers, as providers counted them.', [
      'provider',
      'model',
      'direction',
    ]),
    aiCost: counter('ai_cost_dollars_total', 'Cost of answers, where AI_PRICES has the model.', [
      'provider',
      'model',
    ]),
    webhookAttempts: histogram(
      'webhook_attempt_duration_seconds',
      'Attempts to deliver, by outcome.',
      ['outcome'],
      attemptSeconds,
    ),
    deliveriesEnded: counter(
      'webhook_deliveries_ended_total',
      'Deliveries that were taken, or given up.',
      ['state'],
    ),
  };
}

/** What is looked at when somebody asks. */
export const createGauge = <Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: Label[] = [],
) => new Gauge({ name: named(name), help, labelNames, registers: [registry] });

export type Meters = ReturnType<typeof createMeters>;
