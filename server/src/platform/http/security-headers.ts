/**
 * Headers that every reply carries, for whatever a browser makes of it. Written down once: a plugin
 * that makes them anew for each request costs as much as the checks of an access token.
 */
export const securityHeaders = ({ isHttps }: { isHttps: boolean }): Record<string, string> => ({
  'content-security-policy':
    "default-src 'self';img-src 'self' data:;frame-ancestors 'none';base-uri 'self';form-action 'self'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Behind plain http (a first try on localhost) the header would lock browsers out.
  ...(isHttps && { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }),
});
