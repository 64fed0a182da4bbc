import type { Config } from '../../config.ts';
import { createProviders } from '../../container.ts';
import type { AiProvider } from '../../platform/ai/provider.ts';
import { reasonOf } from '../failure.ts';
import type { Check } from './check.ts';

const checkMs = 10_000;

/** Whether every model of the chain is there; without one the assistant quotes. */
export async function checkAssistant(config: Config): Promise<Check[]> {
  const name = 'Assistant';
  if (!config.ai.enabled) return [{ name, ok: true, detail: 'off, by AI_ENABLED' }];
  const providers = createProviders(config);
  if (providers.length > 0) return Promise.all(providers.map(checkProvider));
  const detail = 'quotes the articles (no key set; GROQ_API_KEY lets a model write)';
  return [{ name, ok: true, detail }];
}

async function checkProvider(provider: AiProvider): Promise<Check> {
  const name = 'Assistant';
  const model = `${provider.name}, ${provider.model}`;
  const problem = await provider
    .check({ signal: AbortSignal.timeout(checkMs) })
    .catch((error: unknown) => `${reasonOf(error)}.`);
  if (problem === undefined) return { name, ok: true, detail: model };
  return { name, ok: false, detail: model, fix: problem };
}
