import type { Kysely } from 'kysely';
import type { Usage } from '../../platform/ai/provider.ts';
import type { Tables } from '../../tables.ts';
import { spentToday } from './answers.conversation.repository.ts';

/** What one customer may have of the assistant in 24 hours; undefined is no limit. */
export type BudgetLimits = {
  answersPerDay: number | undefined;
  tokensPerDay: number | undefined;
  /** US dollars. */
  costPerDay: number | undefined;
};

/** US dollars for a million tokens, by `provider:model`. */
export type Prices = ReadonlyMap<string, { input: number; output: number }>;

export type Budgets = ReturnType<typeof createBudgets>;

/** What answers cost, and whether a customer may have another one. */
export function createBudgets(dependencies: {
  db: Kysely<Tables>;
  limits: BudgetLimits;
  prices: Prices;
}) {
  const { db, limits, prices } = dependencies;
  const isLimited = Object.values(limits).some((limit) => limit !== undefined);

  return {
    /** Which budget a customer has used up in the last 24 hours, by the answers before this one. */
    async exceeded(
      customerId: string,
      answerId: string,
    ): Promise<'answers' | 'tokens' | 'cost' | undefined> {
      if (!isLimited) return undefined;
      const spent = await spentToday(db, customerId, answerId);
      if (spent.answers >= (limits.answersPerDay ?? Infinity)) return 'answers';
      if (spent.tokens >= (limits.tokensPerDay ?? Infinity)) return 'tokens';
      if (spent.cost >= (limits.costPerDay ?? Infinity)) return 'cost';
      return undefined;
    },

    /** What a call cost, in US dollars; undefined when the model has no price. */
    costOf(source: { provider?: string; model?: string }, usage: Usage | undefined) {
      const price = prices.get(`${source.provider}:${source.model}`);
      if (!price || !usage) return undefined;
      return (usage.inputTokens * price.input + usage.outputTokens * price.output) / 1_000_000;
    },
  };
}
