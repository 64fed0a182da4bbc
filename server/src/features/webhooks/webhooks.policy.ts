import { AppError } from '../../errors.ts';
import type { WebhookRow } from './webhooks.repository.ts';

/** Throws 409 for a webhook that is sent nothing. */
export function requireEnabled({ disabled_at }: WebhookRow): void {
  if (disabled_at === null) return;
  throw new AppError('invalid-state', 'The webhook is disabled; enable it first.');
}
