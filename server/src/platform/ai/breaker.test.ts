import { beforeEach, describe, expect, test } from 'vitest';
import { alarmSentence, createBreaker, type Breaker } from './breaker.ts';
import { AiError } from './provider.ts';

const groq = { name: 'groq', model: 'large' };
const other = { name: 'groq', model: 'small' };

describe('the breaker', () => {
  let seconds: number;
  let breaker: Breaker;

  beforeEach(() => {
    seconds = 1_000_000;
    breaker = createBreaker({ clock: { now: () => new Date(seconds * 1_000) } });
  });

  const fail = (times: number) => {
    for (let time = 0; time < times; time += 1) breaker.recordFailure(groq);
  };

  test('opens with the third failure within 60 s, for that model only', () => {
    fail(2);
    expect(breaker.allows(groq)).toBe(true);
    seconds += 59;
    fail(1);
    expect(breaker.allows(groq)).toBe(false);
    expect(breaker.allows(other)).toBe(true);
  });

  test('does not count failures that are older than 60 s', () => {
    fail(2);
    seconds += 60;
    fail(1);
    expect(breaker.allows(groq)).toBe(true);
  });

  test('does not count failures from before a success', () => {
    fail(2);
    breaker.recordSuccess(groq);
    fail(2);
    expect(breaker.allows(groq)).toBe(true);
  });

  test('lets one call try after 30 s, and all when that one succeeds', () => {
    fail(3);
    seconds += 29;
    expect(breaker.allows(groq)).toBe(false);
    seconds += 1;
    expect(breaker.allows(groq)).toBe(true);
    expect(breaker.allows(groq)).toBe(false);
    breaker.recordSuccess(groq);
    expect(breaker.allows(groq)).toBe(true);
    expect(breaker.allows(groq)).toBe(true);
  });

  test('stays open for another 30 s when the one that tries fails or is never heard of', () => {
    fail(3);
    seconds += 30;
    expect(breaker.allows(groq)).toBe(true);
    fail(1);
    seconds += 29;
    expect(breaker.allows(groq)).toBe(false);
    seconds += 1;
    expect(breaker.allows(groq)).toBe(true);
  });

  test('is not kept open by calls that were under way', () => {
    fail(3);
    seconds += 10;
    fail(3);
    seconds += 20;
    expect(breaker.allows(groq)).toBe(true);
  });

  test('opens at once for what no retry mends, and keeps the alarm until a success', () => {
    breaker.openNow(groq, 'Change AI_MODEL.');
    expect(breaker.allows(groq)).toBe(false);
    seconds += 3_600;
    expect(breaker.alarms()).toEqual(['Change AI_MODEL.']);
    breaker.recordSuccess(groq);
    expect(breaker.alarms()).toEqual([]);
  });

  test('alarms while a provider keeps failing, and not for a single failure', () => {
    fail(1);
    expect(breaker.alarms()).toEqual([]);
    fail(2);
    expect(breaker.alarms()).toEqual(['groq keeps failing with the model large.']);
  });
});

describe('the alarm', () => {
  const sentence = (status: number | undefined, providerCode?: string) =>
    alarmSentence(groq, new AiError('refused', 'org_secret', { status, providerCode }));

  test('names the setting to change', () => {
    expect(sentence(401, 'invalid_api_key')).toMatch(/check GROQ_API_KEY/);
    expect(sentence(404, 'model_not_found')).toMatch(/change AI_MODEL/);
    expect(sentence(400, 'model_decommissioned')).toMatch(/change AI_MODEL/);
    expect(sentence(404)).toMatch(/check AI_BASE_URL and AI_MODEL/);
    expect(sentence(307)).toMatch(/check AI_BASE_URL/);
    expect(sentence(429, 'insufficient_quota')).toMatch(/credit/);
  });

  test("never holds the provider's own words", () => {
    for (const status of [401, 402, 404, 500, undefined]) {
      expect(sentence(status)).not.toContain('org_secret');
    }
  });
});
