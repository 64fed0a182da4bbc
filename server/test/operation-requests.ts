import { randomUUID } from 'node:crypto';
import type { CallerName } from '../authorization-matrix.ts';
import { allowedUrl, metricsToken, type Factories } from './factories.ts';
import { testPassword, type TestBearer, type TestClient, type TestReply } from './harness.ts';
import type { Operation } from './openapi.ts';

/** The people that requests are made by and about; the objects in question are `own`'s. */
export type People = Record<Exclude<CallerName, 'anonymous'>, TestClient>;

export type OperationRequest = {
  /** For `{id}` in the path. */
  id?: string;
  /** For `{delivery_id}` in the path. */
  deliveryId?: string;
  /** For `{version}` in the path. */
  version?: number;
  /** For `{token}` in the path. */
  token?: string;
  query?: string;
  /** Missing: the example of the document. */
  body?: unknown;
  headers?: Record<string, string>;
  /** The id that a reply shows or hides. */
  object?: string;
  /** Who asks instead: somebody of the same role, who does not survive it. */
  by?: TestClient | TestBearer;
};

export type Scene = { make: Factories; people: People; caller: CallerName };

type Prepare = (scene: Scene) => OperationRequest | Promise<OperationRequest>;

/** Sends a request as the document describes its operation. */
export function perform(
  operation: Operation,
  request: OperationRequest,
  client: TestBearer,
): Promise<TestReply> {
  const { method, path, requestBody } = operation;
  const place = path
    .replace('{id}', request.id ?? '')
    .replace('{delivery_id}', request.deliveryId ?? '')
    .replace('{version}', String(request.version ?? 1))
    .replace('{token}', request.token ?? '-');
  const url = place + (request.query ? `?${request.query}` : '');
  if (method === 'get' || method === 'delete') return client[method](url, request.headers);
  const example = requestBody?.content['application/json']?.example;
  return client[method](url, 'body' in request ? request.body : example, request.headers);
}

export const scrape = { authorization: `Bearer ${metricsToken}` };
const nothing: Prepare = () => ({});
const somebodyLike = async ({ make, people, caller }: Scene): Promise<TestClient | undefined> =>
  caller === 'anonymous' ? undefined : make.user(people[caller].user.role);

const ofTicket =
  (
    rest: (
      ticketId: string,
      scene: Scene,
    ) => OperationRequest | Promise<OperationRequest> = () => ({}),
  ): Prepare =>
  async (scene) => {
    const id = await scene.make.ticket(scene.people.own);
    return { id, ...(await rest(id, scene)) };
  };
const noted = async (id: string, { make, people }: Scene) => ({
  object: await make.note(id, people.agent),
});
/** The stretch of the feed where the object's first event stands. */
const listOfEvents = async ({ make }: Scene, object: string) => ({
  query: `limit=100&after=${(await make.positionOf(object)) - 1}`,
  object,
});
const ofWebhook =
  (rest: object = {}): Prepare =>
  async ({ make, people }) => ({ id: await make.webhook(people.admin), ...rest });
const ofDelivery: Prepare = async ({ make, people }) => {
  const id = await make.webhook(people.admin);
  return { id, deliveryId: await make.delivery(id, people.admin) };
};
const streamOfEvents = async ({ make }: Scene, object: string) => ({
  query: `after=${(await make.positionOf(object)) - 1}`,
  object,
});
const ofTicketWithAnswer = (state: 'completed' | 'failed'): Prepare =>
  ofTicket(async (id, { make }) => {
    await make.answer(id, state);
    return {};
  });
const ofAnswer =
  (state: 'completed' | 'streaming', rest: object = {}): Prepare =>
  async ({ make, people }) => ({
    id: await make.answer(await make.ticket(people.own), state),
    ...rest,
  });
const ofArticle =
  (article: Parameters<Factories['article']>[0], rest: object = {}): Prepare =>
  async ({ make }) => ({ id: await make.article(article), ...rest });
const listOfArticles =
  (article: Parameters<Factories['article']>[0]): Prepare =>
  async ({ make }) => ({ query: 'limit=100', object: await make.article(article) });
const searchForArticles =
  (article: Parameters<Factories['article']>[0]): Prepare =>
  async ({ make }) => {
    const word = `w${randomUUID().replaceAll('-', '')}`;
    return { query: `q=${word}`, object: await make.article({ ...article, word }) };
  };
const newTicket = { title: 'Shoes do not fit', description: 'How long may I return shoes?' };
const newEmail = (): string => `${randomUUID()}@example.com`;
const newUser = () => ({ email: newEmail(), name: 'Grace Hopper', password: testPassword });

/** A good request for every row of the authorization matrix: `operationId`, or `operationId: what`. */
export const requests: Record<string, Prepare> = {
  signUp: () => ({ body: newUser() }),
  logIn: ({ people }) => ({ body: { email: people.own.user.email, password: testPassword } }),
  refreshSession: async ({ make, people }) => ({
    body: { refresh_token: (await make.session(people.own)).refreshToken },
  }),
  exchangeToken: ({ make }) => ({ body: { token: make.hostToken() } }),
  requestPasswordReset: ({ people }) => ({ body: { email: people.own.user.email } }),
  setPassword: async ({ make }) => ({ token: await make.accountToken() }),
  logOut: async (scene) => ({ by: await somebodyLike(scene) }),

  getMe: nothing,
  updateMe: nothing,
  deleteMe: async (scene) => ({ by: await somebodyLike(scene) }),
  changePassword: async (scene) => ({
    by: await somebodyLike(scene),
    body: { current_password: testPassword, new_password: 'five other random words' },
  }),
  listMySessions: async ({ make, people }) => ({
    query: 'limit=100',
    object: (await make.session(people.own)).id,
  }),
  endMySession: async ({ make, people }) => ({ id: (await make.session(people.own)).id }),
  "endMySession: the caller's own": async (scene) => {
    const by = await somebodyLike(scene);
    return { by, id: (await scene.make.session(by ?? scene.people.own)).id };
  },

  listUsers: ({ people }) => ({ query: 'limit=100', object: people.own.user.id }),
  'listUsers: staff': ({ people }) => ({
    query: 'limit=100&role=agent',
    object: people.agent.user.id,
  }),
  createUser: () => ({ body: { ...newUser(), role: 'agent' } }),
  'createUser: a customer': () => ({ body: { ...newUser(), role: 'customer' } }),
  getUser: ({ people }) => ({ id: people.own.user.id }),
  updateUser: async ({ make }) => ({
    id: (await make.user('customer')).user.id,
    body: { role: 'agent' },
  }),
  'updateUser: a customer': async ({ make }) => ({
    id: (await make.user('customer')).user.id,
    body: { disabled: true },
  }),
  inviteUser: async ({ make }) => ({ id: (await make.invited()).id }),
  'inviteUser: a customer': async ({ make }) => ({ id: (await make.invited('customer')).id }),
  exportUser: ({ people }) => ({ id: people.own.user.id }),
  exportMe: nothing,
  listApiKeys: nothing,
  createApiKey: nothing,
  revokeApiKey: async ({ make, people }) => ({ id: (await make.apiKey(people.admin)).id }),
  eraseUser: async ({ make }) => ({ id: (await make.user('customer')).user.id }),

  createTicket: nothing,
  'createTicket: on behalf of a customer': ({ people }) => ({
    body: { ...newTicket, requester_id: people.own.user.id },
  }),
  'createTicket: with a priority': () => ({ body: { ...newTicket, priority: 'high' } }),
  'createTicket: with tags': () => ({ body: { ...newTicket, tags: ['returns'] } }),
  listTickets: async ({ make, people }) => ({
    query: 'limit=100',
    object: await make.ticket(people.own),
  }),
  'listTickets: of a requester': async ({ make, people }) => ({
    query: `limit=100&requester=${people.own.user.id}`,
    object: await make.ticket(people.own),
  }),
  'listTickets: search': async ({ make, people }) => {
    const title = `Shoes ${randomUUID()}`;
    return { query: `q=${title}`, object: await make.ticket(people.own, { title }) };
  },
  getTicket: ofTicket(),
  'getTicket: internal note': ofTicket(noted),
  updateTicket: ofTicket(() => ({ body: { title: 'Shoes do not fit at all' } })),
  'updateTicket: resolve': ofTicket(() => ({ body: { status: 'resolved' } })),
  'updateTicket: reopen': async ({ make, people }) => ({
    id: await make.ticket(people.own, { status: 'resolved', resolved_at: new Date() }),
    body: { status: 'open' },
  }),
  'updateTicket: priority': ofTicket(() => ({ body: { priority: 'high' } })),
  'updateTicket: tags': ofTicket(() => ({ body: { tags: ['returns'] } })),
  'updateTicket: assignee': ofTicket((_id, { people }) => ({
    body: { assignee_id: people.agent.user.id },
  })),
  'updateTicket: assistant': ofTicket(() => ({ body: { assistant: 'off' } })),
  putTicket: ofTicket(() => ({ body: { title: 'Shoes do not fit at all' } })),
  'putTicket: priority': ofTicket(() => ({ body: { priority: 'high' } })),

  getTicketTimeline: ofTicket(),
  'getTicketTimeline: internal note': ofTicket(noted),

  listEvents: async (scene) => {
    const { people, make } = scene;
    return listOfEvents(scene, await make.ticket(people.own));
  },
  'listEvents: internal note': async (scene) => {
    const id = await scene.make.ticket(scene.people.own);
    return listOfEvents(scene, (await noted(id, scene)).object);
  },
  streamEvents: async (scene) => {
    const { people, make } = scene;
    return streamOfEvents(scene, await make.ticket(people.own));
  },
  'streamEvents: internal note': async (scene) => {
    const id = await scene.make.ticket(scene.people.own);
    return streamOfEvents(scene, (await noted(id, scene)).object);
  },
  setPresence: ofTicket(),
  listAudit: nothing,

  listMessages: ofTicket(),
  'listMessages: internal note': ofTicket(noted),
  createMessage: ofTicket(),
  'createMessage: as a stream': ofTicket(() => ({ headers: { accept: 'text/event-stream' } })),
  'createMessage: internal note': ofTicket(() => ({
    body: { content: 'Between us.', visibility: 'internal' },
  })),
  'createMessage: with a status': ofTicket(() => ({
    body: { content: 'That is all.', status: 'resolved' },
  })),

  streamLatestAnswer: ofTicketWithAnswer('completed'),
  retryAnswer: ofTicketWithAnswer('failed'),
  getAnswer: ofAnswer('completed'),
  traceAnswer: ofAnswer('completed'),
  streamAnswer: ofAnswer('completed'),
  cancelAnswer: ofAnswer('streaming'),
  rateAnswer: ofAnswer('completed'),

  listArticles: listOfArticles({}),
  'listArticles: internal': listOfArticles({ audience: 'internal' }),
  'listArticles: drafts': listOfArticles({ status: 'draft' }),
  searchArticles: searchForArticles({}),
  'searchArticles: internal': searchForArticles({ audience: 'internal' }),
  'searchArticles: drafts': searchForArticles({ status: 'draft' }),
  getArticle: ofArticle({}),
  'getArticle: internal': ofArticle({ audience: 'internal' }),
  'getArticle: draft': ofArticle({ status: 'draft' }),
  createArticle: () => ({ body: { title: 'Returns', body: 'You have 30 days.' } }),
  'createArticle: published': () => ({
    body: { title: 'Returns', body: 'You have 30 days.', status: 'published' },
  }),
  updateArticle: ofArticle({ status: 'draft' }, { body: { title: 'Returns' } }),
  'updateArticle: publish': ofArticle({ status: 'draft' }, { body: { status: 'published' } }),
  'updateArticle: what is published': ofArticle({}, { body: { title: 'Returns' } }),
  deleteArticle: ofArticle({}),
  getArticleVersion: ofArticle({}, { version: 1 }),
  importArticles: nothing,
  getArticleImport: async ({ make }) => ({ id: await make.articleImport() }),

  listKnowledgeGaps: nothing,
  draftArticleFromGap: async ({ make, people }) => {
    const { gapId, messageId } = await make.gap(people.own, people.agent);
    return { id: gapId, body: { message_id: messageId } };
  },
  getKnowledgeGate: nothing,
  getSettings: nothing,
  updateSettings: nothing,

  listWebhooks: nothing,
  createWebhook: () => ({ body: { url: allowedUrl, events: ['*'] } }),
  getWebhook: ofWebhook(),
  updateWebhook: ofWebhook({ body: { description: 'Tells the shop' } }),
  removeWebhook: ofWebhook(),
  rotateWebhookSecret: ofWebhook(),
  testWebhook: ofWebhook(),
  recoverWebhook: ofWebhook({ body: { since: new Date().toISOString() } }),
  listWebhookDeliveries: ofWebhook(),
  getWebhookDelivery: ofDelivery,
  redeliverWebhookDelivery: ofDelivery,

  live: nothing,
  ready: nothing,
  healthCheck: nothing,
  healthCheckAtRoot: nothing,
  readMetrics: nothing,
  'readMetrics: with METRICS_TOKEN': () => ({ headers: scrape }),
};
