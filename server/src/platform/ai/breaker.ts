import type { Clock } from '../clock.ts';
import type { AiError, AiProvider } from './provider.ts';

type ProviderId = Pick<AiProvider, 'name' | 'model'>;

type Circuit = { failedAt: number[]; openUntil: number; alarm: string };

const closed = 0;

/**
 * Leaves a provider alone that keeps failing: `failuresMax` failures within `windowMs` open its
 * circuit for `openMs`. After that one call may try; the others follow when it has succeeded.
 * One circuit for each provider and model, in this process.
 */
export function createBreaker({
  clock,
  failuresMax = 3,
  windowMs = 60_000,
  openMs = 30_000,
}: {
  clock: Clock;
  failuresMax?: number;
  windowMs?: number;
  openMs?: number;
}) {
  const circuits = new Map<string, Circuit>();

  function circuitOf({ name, model }: ProviderId): Circuit {
    const key = `${name}:${model}`;
    const circuit = circuits.get(key) ?? { failedAt: [], openUntil: closed, alarm: '' };
    circuits.set(key, circuit);
    return circuit;
  }

  function open(circuit: Circuit, alarm: string): void {
    circuit.failedAt = [];
    circuit.openUntil = clock.now().getTime() + openMs;
    circuit.alarm = alarm;
  }

  /** True when a call may be made now. Ask only to make the call: it may be the one that tries. */
  function allows(provider: ProviderId): boolean {
    const circuit = circuitOf(provider);
    const now = clock.now().getTime();
    if (now < circuit.openUntil) return false;
    if (circuit.openUntil !== closed) circuit.openUntil = now + openMs;
    return true;
  }

  /** The provider is alive and takes our calls: the circuit closes and its alarm ends. */
  function recordSuccess(provider: ProviderId): void {
    circuits.delete(`${provider.name}:${provider.model}`);
  }

  function recordFailure(provider: ProviderId): void {
    const circuit = circuitOf(provider);
    const now = clock.now().getTime();
    // Calls that were under way when the circuit opened must not keep it open for longer.
    if (now < circuit.openUntil) return;
    circuit.failedAt = [...circuit.failedAt.filter((time) => time > now - windowMs), now];
    if (circuit.failedAt.length < failuresMax) return;
    open(circuit, `${provider.name} keeps failing with the model ${provider.model}.`);
  }

  /** For what no retry can mend: the alarm stays until a call succeeds. */
  function openNow(provider: ProviderId, alarm: string): void {
    open(circuitOf(provider), alarm);
  }

  /** One sentence for each provider that is in trouble, safe to show to an administrator. */
  function alarms(): string[] {
    return [...circuits.values()].map(({ alarm }) => alarm).filter((alarm) => alarm !== '');
  }

  /** True while the provider is left alone. */
  function isOpen({ name, model }: ProviderId): boolean {
    return clock.now().getTime() < (circuits.get(`${name}:${model}`)?.openUntil ?? closed);
  }

  return { allows, recordSuccess, recordFailure, openNow, alarms, isOpen };
}

export type Breaker = ReturnType<typeof createBreaker>;

/** What an administrator has to change, without the provider's own words (they name accounts). */
export function alarmSentence({ name, model }: ProviderId, error: AiError): string {
  const { reason, status, providerCode } = error;
  if (status === 401 || status === 403) {
    const variable = name === 'groq' ? 'GROQ_API_KEY' : 'OPENAI_API_KEY';
    return `${name} refuses the API key: check ${variable}.`;
  }
  if (status === 402 || providerCode === 'insufficient_quota') {
    return `${name} has no credit left: check the account's billing.`;
  }
  if (providerCode?.startsWith('model_')) {
    return `${name} does not offer the model ${model}: change AI_MODEL, or its entry in AI_FALLBACKS.`;
  }
  if (reason === 'refused') {
    return `${name} refuses our calls for the model ${model}: check AI_BASE_URL and AI_MODEL.`;
  }
  return `${name} cannot be used now (${reason}): check AI_BASE_URL and the network.`;
}
