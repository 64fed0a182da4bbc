import { Resolver } from 'node:dns/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { resolveName } from './resolve.ts';

const { signal } = new AbortController();
const failing = (code: string) => Object.assign(new Error(code), { code });

function dnsSays(four: string[] | Error, six: string[] | Error) {
  const say = async (answer: string[] | Error) => {
    if (answer instanceof Error) throw answer;
    return answer;
  };
  vi.spyOn(Resolver.prototype, 'resolve4').mockImplementation(() => say(four));
  vi.spyOn(Resolver.prototype, 'resolve6').mockImplementation(() => say(six));
}
afterEach(() => void vi.restoreAllMocks());

describe('a name', () => {
  test('has the addresses of both kinds', async () => {
    dnsSays(['93.184.216.34', '10.0.0.1'], ['2606:4700:4700::1111']);
    expect(await resolveName('a.example', { local: false, signal })).toEqual([
      '93.184.216.34',
      '10.0.0.1',
      '2606:4700:4700::1111',
    ]);
  });

  test('may have one kind only', async () => {
    dnsSays(failing('ENODATA'), ['2606:4700:4700::1111']);
    expect(await resolveName('a.example', { local: false, signal })).toHaveLength(1);
    dnsSays(['93.184.216.34'], failing('ENODATA'));
    expect(await resolveName('a.example', { local: false, signal })).toHaveLength(1);
  });

  test('without any fails as DNS says', async () => {
    dnsSays(failing('ENOTFOUND'), failing('ENOTFOUND'));
    await expect(resolveName('a.example', { local: false, signal })).rejects.toThrow('ENOTFOUND');
  });

  test('of this machine counts for the operator only', async () => {
    expect(await resolveName('localhost', { local: true, signal })).toContain('127.0.0.1');
  });

  test('is not waited for when the caller has left', async () => {
    const caller = new AbortController();
    const cancel = vi.spyOn(Resolver.prototype, 'cancel');
    const resolving = resolveName('a.example', { local: false, signal: caller.signal });
    caller.abort();
    await expect(resolving).rejects.toThrow('ECANCELLED');
    expect(cancel).toHaveBeenCalledTimes(1);
  });
});
