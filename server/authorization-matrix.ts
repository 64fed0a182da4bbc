/*
 * Who may do what: the table of docs and design as data. server/test/authorization.test.ts makes one
 * request for every cell, and fails for an operation of the OpenAPI document that has no row here.
 *
 * `own` is the customer whose object it is (who opened the ticket, whose session it is), `other` is
 * another customer. Where an operation has no object of somebody's, both are just customers.
 */

/** The status of the reply. 404: the role has the function, but not this object. */
type Status = 200 | 201 | 202 | 204 | 401 | 403 | 404 | 422;

export type Cell =
  | Status
  /** 200, and the object is in it. */
  | 'shown'
  /** 200, and the object is not in it. */
  | 'hidden'
  /** The operation knows only the caller's own: nothing of somebody else's can be named. */
  | '-';

export const callers = ['anonymous', 'own', 'other', 'agent', 'admin'] as const;
export type CallerName = (typeof callers)[number];

export type Row = readonly [operationId: string, what: string, ...cells: Cell[]];

// prettier-ignore
export const authorizationMatrix: readonly Row[] = [
  //                                              anonymous  own     other     agent     admin
  ['signUp',             '',                            201, 201,      '-',      201,      201],
  ['logIn',              '',                            200, 200,      '-',      200,      200],
  ['refreshSession',     '',                            200, 200,      '-',      200,      200],
  ['exchangeToken',      '',                            200, 200,      '-',      200,      200],
  ['requestPasswordReset', '',                          202, 202,      '-',      202,      202],
  ['setPassword',        '',                            204, 204,      204,      204,      204],
  ['logOut',             '',                            401, 204,      '-',      204,      204],

  ['getMe',              '',                            401, 200,      '-',      200,      200],
  ['updateMe',           '',                            401, 200,      '-',      200,      200],
  ['deleteMe',           '',                            401, 204,      '-',      204,      204],
  ['changePassword',     '',                            401, 204,      '-',      204,      204],
  ['listMySessions',     '',                            401, 'shown',  'hidden', 'hidden', 'hidden'],
  ['endMySession',       '',                            401, 204,      404,      404,      404],
  ['endMySession',       "the caller's own",            401, 204,      '-',      204,      204],

  ['listUsers',          '',                            401, 403,      403,      'shown',  'shown'],
  ['listUsers',          'staff',                       401, 403,      403,      403,      'shown'],
  ['createUser',         '',                            401, 403,      403,      403,      201],
  ['getUser',            '',                            401, 403,      403,      403,      200],
  ['updateUser',         '',                            401, 403,      403,      403,      200],
  ['inviteUser',         '',                            401, 403,      403,      403,      202],
  ['exportUser',         '',                            401, 403,      403,      403,      200],
  ['exportMe',           '',                            401, 200,      '-',      200,      200],
  ['eraseUser',          '',                            401, 403,      403,      403,      202],

  ['createUser',         'a customer',                  401, 403,      403,      403,      201],
  ['updateUser',         'a customer',                  401, 403,      403,      403,      200],
  ['inviteUser',         'a customer',                  401, 403,      403,      403,      202],

  ['listApiKeys',        '',                            401, 403,      403,      403,      200],
  ['createApiKey',       '',                            401, 403,      403,      403,      201],
  ['revokeApiKey',       '',                            401, 403,      403,      403,      204],

  ['createTicket',       '',                            401, 201,      '-',      201,      201],
  ['createTicket',       'on behalf of a customer',     401, 422,      422,      201,      201],
  ['createTicket',       'with a priority',             401, 422,      '-',      201,      201],
  ['createTicket',       'with tags',                   401, 422,      '-',      201,      201],
  ['listTickets',        '',                            401, 'shown',  'hidden', 'shown',  'shown'],
  ['listTickets',        'of a requester',              401, 'shown',  'hidden', 'shown',  'shown'],
  ['listTickets',        'search',                      401, 'shown',  'hidden', 'shown',  'shown'],
  ['getTicket',          '',                            401, 200,      404,      200,      200],
  ['getTicket',          'internal note',               401, 'hidden', 404,      'shown',  'shown'],
  ['updateTicket',       '',                            401, 200,      404,      200,      200],
  ['updateTicket',       'resolve',                     401, 200,      404,      200,      200],
  ['updateTicket',       'reopen',                      401, 200,      404,      200,      200],
  ['updateTicket',       'priority',                    401, 422,      404,      200,      200],
  ['updateTicket',       'tags',                        401, 422,      404,      200,      200],
  ['updateTicket',       'assignee',                    401, 422,      404,      200,      200],
  ['updateTicket',       'assistant',                   401, 422,      404,      200,      200],
  ['getTicketTimeline',  '',                            401, 200,      404,      200,      200],
  ['getTicketTimeline',  'internal note',               401, 'hidden', 404,      'shown',  'shown'],
  ['putTicket',          '',                            401, 200,      404,      200,      200],
  ['putTicket',          'priority',                    401, 422,      404,      200,      200],
  ['setPresence',        '',                            401, 200,      404,      200,      200],

  ['listMessages',       '',                            401, 200,      404,      200,      200],
  ['listMessages',       'internal note',               401, 'hidden', 404,      'shown',  'shown'],
  ['createMessage',      '',                            401, 201,      404,      201,      201],
  ['createMessage',      'as a stream',                 401, 201,      404,      201,      201],
  ['createMessage',      'internal note',               401, 422,      404,      201,      201],
  ['createMessage',      'with a status',               401, 422,      404,      201,      201],

  ['streamLatestAnswer', '',                            401, 200,      404,      200,      200],
  ['retryAnswer',        '',                            401, 201,      404,      201,      201],
  ['getAnswer',          '',                            401, 200,      404,      200,      200],
  ['traceAnswer',        '',                            401, 403,      403,      200,      200],
  ['streamAnswer',       '',                            401, 200,      404,      200,      200],
  ['cancelAnswer',       '',                            401, 200,      404,      200,      200],
  ['rateAnswer',         '',                            401, 200,      404,      200,      200],

  ['listEvents',         '',                            401, 'shown',  'hidden', 'shown',  'shown'],
  ['listEvents',         'internal note',               401, 'hidden', 'hidden', 'shown',  'shown'],
  ['streamEvents',       '',                            401, 'shown',  'hidden', 'shown',  'shown'],
  ['streamEvents',       'internal note',               401, 'hidden', 'hidden', 'shown',  'shown'],
  ['listAudit',          '',                            401, 403,      403,      403,      200],

  ['listArticles',       '',                        'shown', 'shown',  'shown',  'shown',  'shown'],
  ['listArticles',       'internal',               'hidden', 'hidden', 'hidden', 'shown',  'shown'],
  ['listArticles',       'drafts',                 'hidden', 'hidden', 'hidden', 'shown',  'shown'],
  ['searchArticles',     '',                        'shown', 'shown',  'shown',  'shown',  'shown'],
  ['searchArticles',     'internal',               'hidden', 'hidden', 'hidden', 'shown',  'shown'],
  ['searchArticles',     'drafts',                 'hidden', 'hidden', 'hidden', 'hidden', 'hidden'],
  ['getArticle',         '',                            200, 200,      200,      200,      200],
  ['getArticle',         'internal',                    404, 404,      404,      200,      200],
  ['getArticle',         'draft',                       404, 404,      404,      200,      200],
  ['createArticle',      '',                            401, 403,      403,      201,      201],
  ['createArticle',      'published',                   401, 403,      403,      403,      201],
  ['updateArticle',      '',                            401, 403,      403,      200,      200],
  ['updateArticle',      'publish',                     401, 403,      403,      403,      200],
  ['updateArticle',      'what is published',           401, 403,      403,      403,      200],
  ['deleteArticle',      '',                            401, 403,      403,      403,      204],
  ['getArticleVersion',  '',                            401, 403,      403,      200,      200],
  ['importArticles',     '',                            401, 403,      403,      403,      202],
  ['getArticleImport',   '',                            401, 403,      403,      200,      200],

  ['listKnowledgeGaps',  '',                            401, 403,      403,      200,      200],
  ['draftArticleFromGap', '',                           401, 403,      403,      201,      201],
  ['getKnowledgeGate',   '',                            401, 403,      403,      200,      200],
  ['getSettings',        '',                            401, 403,      403,      403,      200],
  ['updateSettings',     '',                            401, 403,      403,      403,      200],

  ['listWebhooks',       '',                            401, 403,      403,      403,      200],
  ['createWebhook',      '',                            401, 403,      403,      403,      201],
  ['getWebhook',         '',                            401, 403,      403,      403,      200],
  ['updateWebhook',      '',                            401, 403,      403,      403,      200],
  ['removeWebhook',      '',                            401, 403,      403,      403,      204],
  ['rotateWebhookSecret', '',                           401, 403,      403,      403,      200],
  ['testWebhook',        '',                            401, 403,      403,      403,      202],
  ['recoverWebhook',     '',                            401, 403,      403,      403,      202],
  ['listWebhookDeliveries', '',                         401, 403,      403,      403,      200],
  ['getWebhookDelivery', '',                            401, 403,      403,      403,      200],
  ['redeliverWebhookDelivery', '',                      401, 403,      403,      403,      202],

  ['live',               '',                            200, 200,      '-',      200,      200],
  ['ready',              '',                            200, 200,      '-',      200,      200],
  ['healthCheck',        '',                            200, 200,      '-',      200,      200],
  ['healthCheckAtRoot',  '',                            200, 200,      '-',      200,      200],
  ['readMetrics',        '',                            401, 401,      '-',      401,      401],
  ['readMetrics',        'with METRICS_TOKEN',          200, 200,      '-',      200,      200],
];
