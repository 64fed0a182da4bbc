import { createHash } from 'node:crypto';
import { createSigner, createVerifier } from 'fast-jwt';
import type { Clock } from '../../platform/clock.ts';

const productName = 'support-assistant';
export const accessTokenSeconds = 600;
/** A host product signs for the moment, not for keeps. */
const exchangeTokenSecondsMax = 600;
/** Clocks of two machines are never the same. */
const clockSkewSeconds = 30;
const verifiedTokensMax = 10_000;

export type AccessClaims = { userId: string; sessionId: string };

/** What a host product says of its user. */
export type ExchangeClaims = { issuer: string; subject: string; email: string; name?: string };

export type TokensOptions = {
  /** The first signs, all verify: a key is rotated by putting the new one in front. */
  keys: readonly string[];
  /** Secret shared with the host product; undefined switches the exchange off. */
  exchangeSecret: string | undefined;
  clock: Clock;
};

type Claims = Record<string, unknown>;

export type Tokens = ReturnType<typeof createTokens>;

/** Signed tokens: our own access tokens, and those of the host product. HS256 and nothing else. */
export function createTokens({ keys, exchangeSecret, clock }: TokensOptions) {
  const [signingKey] = keys;
  if (!signingKey) throw new Error('There is no key to sign access tokens with.');
  const sign = createSigner({ algorithm: 'HS256', key: signingKey, kid: keyIdOf(signingKey) });
  const verifiers = new Map(keys.map((key) => [keyIdOf(key), verifierOf(key, accessRules)]));
  // The cache of the library hashes the token at each look.
  const verified = new Map<string, Claims>();
  const verifyExchange = exchangeSecret ? verifierOf(exchangeSecret, exchangeRules) : undefined;
  const nowSeconds = (): number => Math.floor(clock.now().getTime() / 1_000);

  return {
    signAccess({ userId, sessionId }: AccessClaims): string {
      const iat = nowSeconds();
      const exp = iat + accessTokenSeconds;
      const who = { iss: productName, aud: productName };
      return sign({ sub: userId, sid: sessionId, typ: 'access', ...who, iat, exp });
    },

    /** Undefined for anything but a valid access token. */
    verifyAccess(token: string): AccessClaims | undefined {
      const claims = verified.get(token) ?? verify(token);
      if (!claims || claims['typ'] !== 'access' || !isTimely(claims, nowSeconds()))
        return undefined;
      const { sub, sid } = claims;
      if (typeof sub !== 'string' || typeof sid !== 'string') return undefined;
      return { userId: sub, sessionId: sid };
    },

    exchangeEnabled: verifyExchange !== undefined,

    /** Undefined for anything but a fresh token of the host product. */
    verifyExchange(token: string): ExchangeClaims | undefined {
      const claims = verifyExchange?.(token);
      const now = nowSeconds();
      if (!claims || !isTimely(claims, now)) return undefined;
      if (Number(claims['exp']) > now + exchangeTokenSecondsMax + clockSkewSeconds)
        return undefined;
      const { iss, sub, email, name } = claims;
      if (!isShortText(iss) || !isShortText(sub) || !isShortText(email)) return undefined;
      return { issuer: iss, subject: sub, email, ...(isShortText(name) && { name }) };
    },
  };

  function verify(token: string): Claims | undefined {
    const claims = verifiers.get(claimedKeyOf(token) ?? '')?.(token);
    if (verified.size >= verifiedTokensMax) verified.clear();
    if (claims) verified.set(token, claims);
    return claims;
  }
}

const accessRules = {
  allowedIss: productName,
  allowedAud: productName,
  requiredClaims: ['sub', 'sid', 'iss', 'aud', 'typ', 'iat', 'exp'],
};
const exchangeRules = { requiredClaims: ['iss', 'sub', 'email', 'exp'] };

function verifierOf(key: string, rules: object): (token: string) => Claims | undefined {
  // The times are checked against our own clock, on tokens that were verified before too.
  const timeless = { ignoreExpiration: true, ignoreNotBefore: true };
  const verify = createVerifier({ algorithms: ['HS256'], key, ...timeless, ...rules });
  return (token) => {
    try {
      const claims: unknown = verify(token);
      return isRecord(claims) ? claims : undefined;
    } catch {
      return undefined;
    }
  };
}

function isTimely({ exp, nbf, iat }: Claims, now: number): boolean {
  if (typeof exp !== 'number' || !(now < exp)) return false;
  return [nbf, iat].every(
    (time) => time === undefined || (typeof time === 'number' && time <= now + clockSkewSeconds),
  );
}

/** Which of our keys a token names; what it says is believed only after the signature. */
function claimedKeyOf(token: string): string | undefined {
  try {
    const header: unknown = JSON.parse(
      Buffer.from(token.slice(0, Math.max(0, token.indexOf('.'))), 'base64url').toString(),
    );
    return isRecord(header) && typeof header['kid'] === 'string' ? header['kid'] : undefined;
  } catch {
    return undefined;
  }
}

const keyIdOf = (key: string): string =>
  createHash('sha256').update(`key id of ${key}`).digest('base64url').slice(0, 8);

const isRecord = (value: unknown): value is Claims =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value that the database can store, and hold in an index. */
const isShortText = (value: unknown): value is string =>
  typeof value === 'string' &&
  value.length > 0 &&
  value.length <= 255 &&
  value.isWellFormed() &&
  !value.includes('\0');
