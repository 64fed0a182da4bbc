import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely';

/*
 * The rows of the database, as server/migrations makes them. Every `timestamptz` has millisecond
 * precision, so that a time survives the way through a JavaScript Date and back.
 */

export type Role = 'customer' | 'agent' | 'admin';
export type TicketStatus = 'open' | 'pending' | 'on_hold' | 'resolved' | 'closed';
export type TicketPriority = 'low' | 'normal' | 'high' | 'urgent';
export type AssistantMode = 'active' | 'paused' | 'off';
export type AuthorType = 'customer' | 'agent' | 'assistant' | 'system';
export type MessageVisibility = 'public' | 'internal';
export type AnswerState =
  | 'queued'
  | 'streaming'
  | 'completed'
  | 'handed_off'
  | 'incomplete'
  | 'failed'
  | 'cancelled'
  | 'superseded';
export type Verdict = 'ANSWER' | 'CLARIFY' | 'NO_ANSWER' | 'HANDOFF';
export type HandoffReason =
  | 'requested'
  | 'accepted-offer'
  | 'legal'
  | 'threat'
  | 'fraud'
  | 'privacy'
  | 'frustration'
  | 'no-answer'
  | 'guard'
  | 'budget'
  | 'ai-failed'
  | 'ai-incomplete';
export type ArticleStatus = 'draft' | 'published' | 'archived';
export type Audience = 'public' | 'internal';

type Json<Value extends object> = JSONColumnType<Value, string, string>;
type NullableJson<Value> = ColumnType<Value | null, string | null, string | null>;
type CreatedAt = ColumnType<Date, Date | undefined, never>;

export type UsersTable = {
  id: string;
  email: string;
  name: string;
  password_hash: string | null;
  role: Role;
  /** `api-key`: the account that a key acts as. */
  kind: Generated<'person' | 'api-key'>;
  /** Who vouches for a user that came through `POST /auth/exchange`: issuer and subject of the token. */
  external_issuer: string | null;
  external_subject: string | null;
  /** Language and region as a BCP 47 tag, such as `de-AT`. */
  locale: string | null;
  disabled_at: Date | null;
  /** From then on the account is nobody's; what it wrote goes in the background. */
  erase_requested_at: ColumnType<Date | null, undefined, Date>;
  erased_at: ColumnType<Date | null, undefined, Date>;
  version: Generated<number>;
  created_at: CreatedAt;
  updated_at: Generated<Date>;
};

export type SessionsTable = {
  id: string;
  user_id: string;
  /** SHA-256 of the refresh token that is valid now. */
  token_hash: Buffer;
  /** Key of the HMAC that makes a token's successor. */
  rotation_key: Buffer;
  rotated_at: Generated<Date>;
  user_agent: string;
  /** Null for sessions from before it was noted. */
  network: string | null;
  created_at: CreatedAt;
  expires_at: Date;
  revoked_at: Date | null;
};

export type ApiKeysTable = {
  /** That of its account, which has its name and role; the key is revoked when that is disabled. */
  id: string;
  /** SHA-256 of the token. */
  token_hash: Buffer;
  /** How the token begins, for people to tell keys apart. */
  prefix: string;
  scopes: string[];
  created_by: string;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
};

export type TicketsTable = {
  id: string;
  number: Generated<number>;
  title: string;
  description: string;
  status: Generated<TicketStatus>;
  priority: Generated<TicketPriority>;
  requester_id: string;
  assignee_id: string | null;
  tags: Generated<string[]>;
  assistant: Generated<AssistantMode>;
  handoff_reason: HandoffReason | null;
  handoff_at: Date | null;
  handoff_answer_id: string | null;
  channel: Generated<string>;
  version: Generated<number>;
  last_seq: Generated<number>;
  /** Sequence of the ticket's newest event. */
  last_event: Generated<number>;
  last_message_at: Date;
  created_at: CreatedAt;
  updated_at: Date;
  resolved_at: Date | null;
  /** When its content was taken; what it counts for stays. */
  erased_at: ColumnType<Date | null, undefined, Date>;
};

export type Citation = { n: number; article_id: string; title: string; quote: string };

export type MessagesTable = {
  id: string;
  ticket_id: string;
  seq: number;
  author_type: AuthorType;
  author_id: string | null;
  visibility: Generated<MessageVisibility>;
  content: string;
  citations: NullableJson<Citation[]>;
  answer_id: string | null;
  created_at: CreatedAt;
};

/** A passage as the answer saw it: the article may change afterwards, the record does not. */
export type AnswerSource = {
  n: number;
  article_id: string;
  version: number;
  title: string;
  heading: string;
  score: number;
};

/** How an answer came about, for staff: what was asked, found, sent, decided, and why. */
export type AnswerTrace = {
  /** The step that decided, and what it said. */
  decision: string;
  /** What was searched for, personal data taken out. */
  searched: string[];
  /** The passages that the search found, best first. */
  found: { article_id: string; version: number; heading: string; score: number }[];
  /** How many values of each kind were kept from the model. */
  redactions: Record<string, number>;
  /** What the gate saw; null when a rule decided before the search. */
  evidence: {
    probability: number;
    threshold: number;
    features: Record<string, number>;
    knowledge_version: number;
  } | null;
  /** The lowest support of a sentence by what it cites, from 0 to 1; null when nothing was checked. */
  support: number | null;
};

export type AnswersTable = {
  id: string;
  ticket_id: string;
  /** Identity of the message that this answer becomes; allocated at creation. */
  message_id: string;
  state: AnswerState;
  attempt: Generated<number>;
  /** The last customer message that this answer replies to. */
  up_to_seq: number;
  text: Generated<string>;
  /** What the answer was given to read; null until the search is done. */
  sources: NullableJson<AnswerSource[]>;
  citations: ColumnType<Citation[], string | undefined, string>;
  verdict: Verdict | null;
  handoff_mode: 'now' | 'offer' | null;
  handoff_reason: HandoffReason | null;
  finish_reason: 'stop' | 'length' | 'other' | null;
  /** What kind of failure ended it, for staff: never the provider's words. */
  failure: string | null;
  provider: string | null;
  model: string | null;
  input_tokens: number | null;
  output_tokens: number | null;
  /** US dollars, when the model's price is configured. */
  cost: number | null;
  /** Some sentence is weakly supported by what it cites. */
  needs_review: Generated<boolean>;
  /** How the answer came about; null when it was cut short. */
  trace: NullableJson<AnswerTrace>;
  lease_owner: string | null;
  lease_until: Date | null;
  feedback_helpful: boolean | null;
  feedback_reason: string | null;
  feedback_comment: string | null;
  feedback_at: Date | null;
  queued_at: Generated<Date>;
  started_at: Date | null;
  ended_at: Date | null;
};

/** A question that the articles did not answer. */
export type KnowledgeGapsTable = {
  id: string;
  answer_id: string;
  ticket_id: string;
  /** Without personal data. */
  question: string;
  /** The article that was drafted to close it. */
  article_id: string | null;
  created_at: CreatedAt;
};

/** One row: what the workspace changed of the defaults. */
export type SettingsTable = {
  id: Generated<boolean>;
  version: Generated<number>;
  changes: Json<Record<string, unknown>>;
  updated_at: Generated<Date>;
};

export type AiPausesTable = { provider: string; model: string; until: Date };

export type ArticlesTable = {
  id: string;
  title: string;
  body: string;
  tags: Generated<string[]>;
  audience: Audience;
  status: ArticleStatus;
  version: Generated<number>;
  /** The version that is searched and quoted; null when nothing is published. */
  published_version: number | null;
  /** Where an imported article comes from: importing the same source again updates it. */
  source: string | null;
  created_at: CreatedAt;
  updated_at: Generated<Date>;
  published_at: Date | null;
};

/** What was published as a version; it never changes, so that an answer's sources can be read later. */
export type ArticleVersionsTable = {
  article_id: string;
  version: number;
  title: string;
  body: string;
  tags: string[];
  audience: Audience;
  created_by: string | null;
  created_at: CreatedAt;
};

/** A chunk is staged without article and version; publishing gives it both. */
export type ArticleChunksTable = {
  id: string;
  article_id: string | null;
  version: number | null;
  staged_at: CreatedAt;
  ordinal: number;
  heading: string;
  content: string;
  /** Weighted number of lexemes, the document length of BM25. */
  length: number;
};

export type ChunkTermsTable = { lexeme: string; chunk_id: string; frequency: number };

/** How many chunks hold a lexeme. */
export type LexemesTable = { lexeme: string; chunks: number };

/** One row: what BM25 must know of the whole collection. */
export type KnowledgeTotalsTable = {
  id: boolean;
  chunks: number;
  length: number;
  /** Counts what changed the published knowledge: publications, archivings, deletions. */
  version: Generated<number>;
};

export type ArticleImportsTable = {
  id: string;
  created_by: string;
  total: number;
  created_at: CreatedAt;
  ended_at: Date | null;
};

/** An article as an import's file says it. */
export type ImportedArticle = {
  source: string;
  title: string;
  body: string;
  tags: string[];
  audience: Audience;
  status: ArticleStatus;
};

export type ImportItemState = 'waiting' | 'done' | 'skipped' | 'failed';

export type ArticleImportItemsTable = {
  import_id: string;
  ordinal: number;
  path: string;
  state: ImportItemState;
  /** Null when the item is finished. */
  article: NullableJson<ImportedArticle>;
  /** Why it failed. */
  message: string | null;
};

export type EventsTable = {
  id: string;
  /** The order of writing: of one ticket the same as `sequence`. */
  ordinal: GeneratedAlways<number>;
  type: string;
  /** Place in the feed, assigned in commit order after the commit; null until then. */
  position: number | null;
  actor_type: AuthorType;
  actor_id: string | null;
  ticket_id: string | null;
  subject_id: string;
  /** Per ticket without holes; null for events of no ticket. */
  sequence: number | null;
  data: Json<Record<string, unknown>>;
  previous: NullableJson<Record<string, unknown>>;
  created_at: CreatedAt;
};

export type WebhooksTable = {
  id: string;
  url: string;
  description: string;
  /** Types (`ticket.created`), families (`ticket.*`), or all (`*`). */
  events: string[];
  /** Sealed, as `previous_secret` is, which still signs until its time is over. */
  secret: string;
  previous_secret: string | null;
  previous_secret_until: Date | null;
  disabled_at: Date | null;
  disabled_reason: WebhookDisabledReason | null;
  /** The first failure behind the last success. */
  failing_since: Date | null;
  version: Generated<number>;
  created_at: CreatedAt;
  updated_at: Generated<Date>;
};

export type WebhookDisabledReason = 'by-admin' | 'gone' | 'failing';
export type DeliveryState = 'pending' | 'succeeded' | 'failed';
export type AttemptOutcome = 'running' | 'succeeded' | 'failed' | 'interrupted';

export type WebhookDeliveriesTable = {
  id: string;
  webhook_id: string;
  event_id: string;
  state: Generated<DeliveryState>;
  /** All attempts so far: the number of the newest one. */
  attempts: Generated<number>;
  /** Attempts since it was last asked for: the place in the schedule. */
  tries: Generated<number>;
  /** While an attempt is running: when it counts as dead. */
  next_attempt_at: Generated<Date | null>;
  created_at: CreatedAt;
  ended_at: Date | null;
};

export type WebhookAttemptsTable = {
  delivery_id: string;
  number: number;
  /** `interrupted`: its process did not live to tell. */
  outcome: Generated<AttemptOutcome>;
  started_at: CreatedAt;
  duration_ms: number | null;
  url: string;
  status: number | null;
  failure: string | null;
  message: string | null;
  response_headers: NullableJson<Record<string, string>>;
  response_body: string | null;
};

/** A mail that was begun; `sent_at` stays null for one that could not be sent. */
export type MailsTable = {
  id: string;
  user_id: string;
  kind: string;
  begun_at: Date;
  sent_at: Date | null;
};

export type AccountTokenPurpose = 'password-reset' | 'invitation';

/** What a link in a mail stands for. The token itself is nowhere: it takes the server's secret. */
export type AccountTokensTable = {
  id: string;
  user_id: string;
  purpose: AccountTokenPurpose;
  created_at: Date;
  expires_at: Date;
  /** When it was used, or voided by another one. */
  used_at: Date | null;
};

export type PresenceState = 'viewing' | 'typing';

/** Who is at a ticket, until when if they do not say so again. */
export type PresenceTable = {
  ticket_id: string;
  user_id: string;
  state: PresenceState;
  until: Date;
};

export type IdempotencyKeysTable = {
  user_id: string;
  route: string;
  key: string;
  request_hash: string;
  status: number;
  body: Json<object>;
  created_at: CreatedAt;
};

export type Tables = {
  users: UsersTable;
  sessions: SessionsTable;
  api_keys: ApiKeysTable;
  tickets: TicketsTable;
  messages: MessagesTable;
  answers: AnswersTable;
  ai_pauses: AiPausesTable;
  knowledge_gaps: KnowledgeGapsTable;
  settings: SettingsTable;
  articles: ArticlesTable;
  article_versions: ArticleVersionsTable;
  article_imports: ArticleImportsTable;
  article_import_items: ArticleImportItemsTable;
  article_chunks: ArticleChunksTable;
  chunk_terms: ChunkTermsTable;
  lexemes: LexemesTable;
  knowledge_totals: KnowledgeTotalsTable;
  events: EventsTable;
  webhooks: WebhooksTable;
  webhook_deliveries: WebhookDeliveriesTable;
  webhook_attempts: WebhookAttemptsTable;
  presence: PresenceTable;
  idempotency_keys: IdempotencyKeysTable;
  mails: MailsTable;
  account_tokens: AccountTokensTable;
};
