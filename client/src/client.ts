import { streamAnswer, type AnswerStream, type StreamOptions } from './answers.ts';
import { streamEvents, type EventStreamOptions, type LiveStream } from './events.ts';
import { createHttp, type GetToken } from './http.ts';
import type {
  Answer,
  ArticleFile,
  ArticleImport,
  DeliveryState,
  EventType,
  Feed,
  Feedback,
  Message,
  NewMessage,
  NewTicket,
  Page,
  PageQuery,
  PostedMessage,
  PresentPerson,
  SearchResult,
  SupportEvent,
  Ticket,
  TicketChanges,
  TicketQuery,
  TicketWithMessages,
  TokenGrant,
  Webhook,
  WebhookDelivery,
} from './types.ts';

export {
  collectAnswer,
  type AnswerStream,
  type CollectedAnswer,
  type StreamOptions,
} from './answers.ts';
export { ApiError, ConnectionError, type ErrorCode, type FieldError } from './errors.ts';
export type { EventStreamOptions, LiveStream } from './events.ts';
export type { GetToken } from './http.ts';
export type * from './types.ts';
export { verifyWebhook, WebhookVerificationError } from './webhooks.ts';

export type ClientOptions = {
  /** Where the server is, e.g. `https://support.example.com`; '' for the page's own origin. */
  baseUrl: string;
  /** An API key, or an access token that outlives the client's work: ten minutes. */
  token?: string;
  /**
   * Asked for the access token before every request, and once more with the refused token when the
   * server replies 401: that is the moment to refresh. Undefined sends the request without one.
   */
  getToken?: GetToken;
  /** Instead of the global one. */
  fetch?: typeof fetch;
  /** A request without a reply after this long has failed; 30,000 ms unless told. */
  requestTimeoutMs?: number;
  /** A stream that is silent this long has broken; 45,000 ms unless told, keep-alives come every 15 s. */
  streamTimeoutMs?: number;
};

/** Aborting `signal` ends the call, retries included; it then throws the signal's reason. */
export type CallOptions = { signal?: AbortSignal };

export type Client = ReturnType<typeof createClient>;

/**
 * A client of one server. Every call resolves to the reply's body and throws `ApiError` (the server
 * refuses; switch on `code`) or `ConnectionError` (no reply). What is worth it is tried again with
 * back-off and jitter, up to three times; what creates carries an `Idempotency-Key` of its own, so
 * that trying again never does it twice.
 */
export function createClient(options: ClientOptions) {
  const http = createHttp({
    baseUrl: options.baseUrl,
    getToken: options.getToken ?? (() => options.token),
    // Looked up at every call, for those who replace the global one later.
    fetch: options.fetch ?? ((...request) => fetch(...request)),
    requestMs: options.requestTimeoutMs ?? 30_000,
  });
  const idleMs = options.streamTimeoutMs ?? 45_000;

  return {
    auth: {
      /** `session: 'cookie'` keeps the refresh token in an HttpOnly cookie, for browsers. */
      login: (
        login: { email: string; password: string; session?: 'cookie' },
        { signal }: CallOptions = {},
      ) =>
        http.request<TokenGrant>('POST', '/auth/login', {
          body: login,
          isAnonymous: true,
          isRepeatable: true,
          signal,
        }),
      /** A refresh token is good for one refresh; without one it is taken from the cookie. */
      refresh: (refreshToken?: string, { signal }: CallOptions = {}) =>
        http.request<TokenGrant>('POST', '/auth/refresh', {
          ...(refreshToken !== undefined && { body: { refresh_token: refreshToken } }),
          isAnonymous: true,
          isRepeatable: true,
          signal,
        }),
      /** Sends a link that sets a new password, if there is an account; the reply does not tell. */
      requestPasswordReset: (email: string, { signal }: CallOptions = {}) =>
        http.request<{ status: 'accepted' }>('POST', '/auth/password-resets', {
          body: { email },
          isAnonymous: true,
          signal,
        }),
      /** With the token of a reset or an invitation, which is good for one password. */
      setPassword: (token: string, password: string, { signal }: CallOptions = {}) =>
        http.request<undefined>('PUT', `/auth/password-resets/${encodeURIComponent(token)}`, {
          body: { password },
          isAnonymous: true,
          signal,
        }),
    },

    tickets: {
      /** The description is message 1; `answer` of the reply is the assistant at work on it. */
      create: (ticket: NewTicket, { signal }: CallOptions = {}) =>
        http.request<Ticket>('POST', '/tickets', { body: ticket, isKeyed: true, signal }),
      get: (id: string, { signal }: CallOptions = {}) =>
        http.request<TicketWithMessages>('GET', ticketPath(id), { signal }),
      list: (query: TicketQuery = {}, { signal }: CallOptions = {}) =>
        http.request<Page<Ticket>>('GET', '/tickets', { query, signal }),
      /** Changes the ticket that was read; `version-mismatch` when it has changed since. */
      update: (
        ticket: Pick<Ticket, 'id' | 'version'>,
        changes: TicketChanges,
        { signal }: CallOptions = {},
      ) =>
        http.request<Ticket>('PATCH', ticketPath(ticket.id), {
          body: changes,
          headers: { 'if-match': `"${ticket.version}"` },
          signal,
        }),
      /** What happened to the ticket. */
      timeline: (
        id: string,
        query: PageQuery & { sort?: 'created_at' | '-created_at' } = {},
        { signal }: CallOptions = {},
      ) => http.request<Page<SupportEvent>>('GET', `${ticketPath(id)}/timeline`, { query, signal }),
      /** Holds for 30 seconds; `typing` is for replies, never for notes. Returns who else is there. */
      setPresence: (
        id: string,
        state: 'viewing' | 'typing' | 'gone',
        { signal }: CallOptions = {},
      ) =>
        http.request<{ people: PresentPerson[] }>('PUT', `${ticketPath(id)}/presence`, {
          body: { state },
          isRepeatable: true,
          signal,
        }),
    },

    messages: {
      create: (ticketId: string, message: NewMessage, { signal }: CallOptions = {}) =>
        http.request<PostedMessage>('POST', `${ticketPath(ticketId)}/messages`, {
          body: message,
          isKeyed: true,
          signal,
        }),
      list: (
        ticketId: string,
        query: PageQuery & { sort?: 'seq' | '-seq' } = {},
        { signal }: CallOptions = {},
      ) =>
        http.request<Page<Message>>('GET', `${ticketPath(ticketId)}/messages`, { query, signal }),
    },

    answers: {
      get: (id: string, { signal }: CallOptions = {}) =>
        http.request<Answer>('GET', answerPath(id), { signal }),
      /** Stops a live answer; what was shown stays. */
      cancel: (id: string, { signal }: CallOptions = {}) =>
        http.request<Answer>('POST', `${answerPath(id)}/cancel`, { signal }),
      feedback: (id: string, feedback: Feedback, { signal }: CallOptions = {}) =>
        http.request<Answer>('PUT', `${answerPath(id)}/feedback`, {
          body: feedback,
          isRepeatable: true,
          signal,
        }),
      /** Answers the newest message again, after an answer that failed, broke off or was stopped. */
      retry: (ticketId: string, { signal }: CallOptions = {}) =>
        http.request<Answer>('POST', `${ticketPath(ticketId)}/answers`, { isKeyed: true, signal }),
      /** The answer to the ticket's newest message: started, joined or replayed, whichever it takes. */
      stream: (ticketId: string, options: StreamOptions = {}): AnswerStream =>
        streamAnswer(http, `${ticketPath(ticketId)}/ai-response`, idleMs, options),
      /** One answer, live or ended, whatever else happens on its ticket. */
      follow: (id: string, options: StreamOptions = {}): AnswerStream =>
        streamAnswer(http, `${answerPath(id)}/events`, idleMs, options),
    },

    articles: {
      /** Passages of the published articles that the caller may read, best first. */
      search: (q: string, { limit, signal }: CallOptions & { limit?: number } = {}) =>
        http.request<{ data: SearchResult[] }>('GET', '/articles/search', {
          query: { q, limit },
          signal,
        }),
      /** Up to 2,000 files and 20 MiB; the work goes on in the background, see `getImport`. */
      import: (articles: ArticleFile[], { signal }: CallOptions = {}) =>
        http.request<ArticleImport>('POST', '/articles/import', {
          body: { articles },
          isKeyed: true,
          signal,
        }),
      getImport: (id: string, { signal }: CallOptions = {}) =>
        http.request<ArticleImport>('GET', `/articles/imports/${encodeURIComponent(id)}`, {
          signal,
        }),
    },

    events: {
      /** What happened behind `after`, in the order of the commits; customers see their own tickets. */
      list: (
        query: { after?: string; limit?: number; type?: EventType[] } = {},
        { signal }: CallOptions = {},
      ) => http.request<Feed>('GET', '/events', { query, signal }),
      /** What happens, as it happens. */
      stream: (options: EventStreamOptions = {}): LiveStream => streamEvents(http, idleMs, options),
    },

    /** For admins. */
    webhooks: {
      list: (query: PageQuery = {}, { signal }: CallOptions = {}) =>
        http.request<Page<Webhook>>('GET', '/webhooks', { query, signal }),
      /** The secret is in this reply, and in no other. */
      create: (
        webhook: { url: string; description?: string; events: string[] },
        { signal }: CallOptions = {},
      ) =>
        http.request<Webhook & { secret: string }>('POST', '/webhooks', {
          body: webhook,
          isKeyed: true,
          signal,
        }),
      /** What it was sent, newest first. */
      deliveries: (
        id: string,
        query: PageQuery & { state?: DeliveryState[] } = {},
        { signal }: CallOptions = {},
      ) =>
        http.request<Page<WebhookDelivery>>('GET', `${webhookPath(id)}/deliveries`, {
          query,
          signal,
        }),
      /** Sends a delivery again, whatever became of it. */
      redeliver: (id: string, deliveryId: string, { signal }: CallOptions = {}) =>
        http.request<WebhookDelivery>(
          'POST',
          `${webhookPath(id)}/deliveries/${encodeURIComponent(deliveryId)}/redeliver`,
          { isKeyed: true, signal },
        ),
    },
  };
}

const webhookPath = (id: string): string => `/webhooks/${encodeURIComponent(id)}`;
const ticketPath = (id: string): string => `/tickets/${encodeURIComponent(id)}`;
const answerPath = (id: string): string => `/answers/${encodeURIComponent(id)}`;
