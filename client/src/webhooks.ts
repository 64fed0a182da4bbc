import type { WebhookEvent } from './types.ts';

/** The request is not from your server, or not of now. */
export class WebhookVerificationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'WebhookVerificationError';
  }
}

type HeaderValues = Headers | Readonly<Record<string, string | readonly string[] | undefined>>;

const toleranceSecondsDefault = 300;

/**
 * Checks that a request comes from the server that has this `whsec_…` secret, and returns the event.
 * `body` is the raw text, exactly as it came. Throws `WebhookVerificationError` for a signature that
 * does not match, and for a timestamp more than `toleranceSeconds` (300) away from now: a request that
 * somebody has kept and sends again. Take each `webhook-id` once; attempts are repeated.
 */
export async function verifyWebhook(
  secret: string,
  headers: HeaderValues,
  body: string,
  { toleranceSeconds = toleranceSecondsDefault }: { toleranceSeconds?: number } = {},
): Promise<WebhookEvent> {
  const [id, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) =>
    headerOf(headers, `webhook-${name}`),
  );
  if (!id || !timestamp || !signatures) {
    throw new WebhookVerificationError('The request has not the headers of a signed webhook.');
  }
  const age = Math.abs(Date.now() / 1_000 - Number(timestamp));
  // Also what is no number at all.
  if (!(age <= toleranceSeconds)) {
    throw new WebhookVerificationError('The request was not signed just now.');
  }
  const key = await importKey(secret);
  const signed = new TextEncoder().encode(`${id}.${timestamp}.${body}`);
  for (const signature of signatures.split(' ')) {
    const [version, value = ''] = signature.split(',');
    const bytes = version === 'v1' ? bytesOf(value) : undefined;
    // The comparison takes the same time whatever is wrong.
    if (bytes && (await crypto.subtle.verify('HMAC', key, bytes, signed))) {
      return JSON.parse(body) as WebhookEvent;
    }
  }
  throw new WebhookVerificationError('No signature matches: is this the secret of this webhook?');
}

async function importKey(secret: string): Promise<CryptoKey> {
  const bytes = secret.startsWith('whsec_') ? bytesOf(secret.slice('whsec_'.length)) : undefined;
  if (!bytes?.length) throw new WebhookVerificationError('The secret is not like whsec_….');
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, [
    'verify',
  ]);
}

/** Undefined when it is not base64. */
function bytesOf(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  } catch {
    return undefined;
  }
}

function headerOf(headers: HeaderValues, name: string): string | undefined {
  const value = headers instanceof Headers ? headers.get(name) : headers[name];
  return typeof value === 'string' ? value : value?.[0];
}
