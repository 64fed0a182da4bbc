import type { Actor } from './actor.ts';
import type { AuthService } from './auth.service.ts';
import { isApiKeyToken } from './api-key-token.ts';
import type { ApiKeysService } from './api-keys.service.ts';

/** Who somebody is by what they bear: the access token of a session, or an API key. */
export function createCredentials({
  auth,
  apiKeys,
}: {
  auth: AuthService;
  apiKeys: ApiKeysService;
}) {
  return {
    /** Throws 401 for a token that lets nobody in. */
    authenticate: (token: string): Promise<Actor> =>
      isApiKeyToken(token) ? apiKeys.authenticate(token) : auth.authenticate(token),

    /** For what outlives a request: whether the actor would still be the same one. */
    isLive: (actor: Actor): Promise<boolean> =>
      actor.scopes ? apiKeys.isLive(actor) : auth.isSessionLive(actor),
  };
}
