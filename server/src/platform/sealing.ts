import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

export type Sealer = ReturnType<typeof createSealer>;

const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/**
 * Keeps secrets that must be read again (AES-256-GCM). The first key seals, all open, so that keys
 * can be rotated; `purpose` keeps what is sealed for one thing from being opened for another.
 */
export function createSealer({ keys, purpose }: { keys: readonly string[]; purpose: string }) {
  const derived = keys.map((key) => Buffer.from(hkdfSync('sha256', key, '', purpose, 32)));

  /** With the key that it was sealed with: 0 is the one that seals now. */
  function openWith(sealed: string): { text: string; place: number } | undefined {
    const bytes = Buffer.from(sealed, 'base64url');
    for (const [place, key] of derived.entries()) {
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes));
        decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
        const opened = decipher.update(bytes.subarray(ivBytes + tagBytes));
        return { text: Buffer.concat([opened, decipher.final()]).toString('utf8'), place };
      } catch {
        // Another key's: the next one tries.
      }
    }
    return undefined;
  }

  return {
    seal(text: string): string {
      const [key] = derived;
      if (!key) throw new Error('There is no key to seal with.');
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, key, iv);
      const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([iv, cipher.getAuthTag(), sealed]).toString('base64url');
    },

    /** Undefined when it was sealed with a key that is not among these (any more). */
    open: (sealed: string): string | undefined => openWith(sealed)?.text,

    /** Whether it can be opened, but no more when the keys behind the first one are gone. */
    isOutdated: (sealed: string): boolean => (openWith(sealed)?.place ?? 0) > 0,
  };
}
