/*
 * The shapes on the wire, by hand until they are generated from openapi.json. REST is snake_case,
 * the parts of a stream are camelCase (they are the AI SDK's). Times are RFC 3339 in UTC, ids UUIDs.
 */

export type Role = 'customer' | 'agent' | 'admin';
export type TicketStatus = 'open' | 'pending' | 'on_hold' | 'resolved' | 'closed';
export type TicketPriority = 'low' | 'normal' | 'high' | 'urgent';
/** `active` answers; `paused`: a person has the ticket; `off`: switched off. */
export type AssistantMode = 'active' | 'paused' | 'off';
export type Channel = 'api' | 'chat' | 'web' | 'email' | 'phone';
export type Verdict = 'ANSWER' | 'CLARIFY' | 'NO_ANSWER' | 'HANDOFF';
export type AnswerState =
  | 'queued'
  | 'streaming'
  | 'completed'
  | 'handed_off'
  | 'incomplete'
  | 'failed'
  | 'cancelled'
  | 'superseded';
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

/** One page of a list; `next_cursor` is null on the last one. */
export type Page<Row> = { data: Row[]; next_cursor: string | null };
export type PageQuery = { limit?: number; cursor?: string };

/** `expires_in` is in seconds. `refresh_token` is missing when it went into a cookie. */
export type TokenGrant = {
  access_token: string;
  token_type: 'bearer';
  expires_in: number;
  refresh_token?: string;
};

/** A live answer and where to follow it. */
export type AnswerLink = { id: string; state: AnswerState; events_url: string };

/** The article behind a number like [1] in the text. */
export type Citation = { n: number; article_id: string; title: string; quote: string };

export type Message = {
  id: string;
  ticket_id: string;
  /** Strictly increasing per ticket. */
  seq: number;
  author: { type: 'customer' | 'agent' | 'assistant' | 'system'; id: string | null; name: string };
  visibility: 'public' | 'internal';
  content: string;
  citations: Citation[];
  answer_id: string | null;
  answer_state: AnswerState | null;
  created_at: string;
};

export type Ticket = {
  id: string;
  /** For people; it never authorises anything. */
  number: number;
  title: string;
  description: string;
  status: TicketStatus;
  priority: TicketPriority;
  requester: { id: string; name: string; email: string };
  assignee: { id: string; name: string } | null;
  tags: string[];
  assistant: AssistantMode;
  /** Set while the ticket waits in the queue of the people. */
  handoff: { reason: HandoffReason; at: string; answer_id: string | null } | null;
  answer: AnswerLink | null;
  channel: string;
  /** Grows with every change, but not with a new message. */
  version: number;
  last_message_at: string;
  created_at: string;
  updated_at: string;
  resolved_at: string | null;
};

/** A ticket with its newest 50 messages, oldest first, and a cursor to older ones (`sort: '-seq'`). */
export type TicketWithMessages = Ticket & {
  messages: Message[];
  older_messages_cursor: string | null;
};

/** `requester_id` and `priority` are for staff. */
export type NewTicket = {
  title: string;
  description: string;
  requester_id?: string;
  priority?: TicketPriority;
  tags?: string[];
  channel?: Channel;
};

/** Customers change `title` and `status`; the rest is for staff. */
export type TicketChanges = {
  title?: string;
  status?: TicketStatus;
  priority?: TicketPriority;
  assignee_id?: string | null;
  tags?: string[];
  assistant?: AssistantMode;
};

export type TicketQuery = PageQuery & {
  status?: TicketStatus[];
  priority?: TicketPriority[];
  /** `me`, `none`, or the id of a member of the team. */
  assignee?: string;
  requester?: string;
  handed_off?: boolean;
  'created_at[gte]'?: string;
  'created_at[lt]'?: string;
  /** Part of the title. */
  q?: string;
  sort?: '-updated_at' | 'updated_at' | '-created_at' | 'created_at' | '-number' | 'number';
};

/** `visibility` and `status` are for staff. */
export type NewMessage = {
  content: string;
  visibility?: 'public' | 'internal';
  status?: TicketStatus;
};

/** `answer` is null when no assistant replies: a person has the ticket, or it is off. */
export type PostedMessage = { message: Message; answer: AnswerLink | null };

export type Answer = {
  id: string;
  ticket_id: string;
  message_id: string;
  state: AnswerState;
  /** What has been shown so far. */
  text: string;
  verdict: Verdict | null;
  sources: {
    n: number;
    article_id: string;
    version: number;
    title: string;
    heading: string;
    score?: number;
  }[];
  citations: Citation[];
  handoff: { mode: 'now' | 'offer'; reason: string | null } | null;
  feedback: { helpful: boolean; reason: string | null; comment: string | null } | null;
  events_url: string;
  queued_at: string;
  started_at: string | null;
  ended_at: string | null;
  /** Staff only. */
  usage?: {
    provider: string | null;
    model: string | null;
    input_tokens: number | null;
    output_tokens: number | null;
    attempt: number;
    failure: string | null;
  };
};

export type Feedback = {
  helpful: boolean;
  reason?: 'wrong' | 'incomplete' | 'not-relevant' | 'hard-to-understand' | 'other' | null;
  comment?: string | null;
};

/** A passage that matches; scores compare within one search only. */
export type SearchResult = {
  article_id: string;
  title: string;
  heading: string;
  content: string;
  /** The best place in the content; `match`: a word of the question. */
  snippet: { text: string; match: boolean }[];
  score: number;
};

/** A passage that the answer was given to read; `score` is for staff. */
export type AnswerSource = {
  n: number;
  articleId: string;
  version: number;
  title: string;
  heading: string;
  score?: number;
};

/** What staff read beside `state` and `verdict` is missing for customers. */
export type AnswerMetadata = {
  ticketId: string;
  answerId: string;
  mode: 'answer';
  state: AnswerState;
  verdict: Verdict | null;
  provider?: string | null;
  model?: string | null;
  usage?: { inputTokens: number | null; outputTokens: number | null };
  failure?: string | null;
};

/**
 * A part of a streamed answer: an AI SDK "UI message stream v1". `finish`, `error` and `abort` are
 * the last ones. Newer servers may send `data-*` parts that are not listed here.
 */
export type AnswerPart =
  | {
      type: 'start';
      /** The id of the message that the answer becomes. */
      messageId?: string;
      /** `handoff`: no answer is written, a person will reply. */
      messageMetadata: { ticketId: string; answerId: string | null; mode: 'answer' | 'handoff' };
    }
  | { type: 'data-status'; data: { phase: AnswerPhase }; transient: true }
  | { type: 'data-sources'; id: string; data: { items: AnswerSource[] } }
  | { type: 'source-document'; sourceId: string; mediaType: string; title: string }
  /** The text begins, or begins anew: what came before it is void. */
  | { type: 'text-start'; id: string }
  | { type: 'text-delta'; id: string; delta: string }
  | { type: 'text-end'; id: string }
  | { type: 'data-citation'; id: string; data: { n: number; articleId: string; quote: string } }
  | { type: 'data-handoff'; id: string; data: { mode: 'now' | 'offer'; reason: string | null } }
  | { type: 'data-clarify'; id: string; data: { options: string[] } }
  | { type: 'message-metadata'; messageMetadata: AnswerMetadata }
  | { type: 'finish'; finishReason: 'stop' | 'length' | 'other' }
  | { type: 'error'; errorText: string }
  | { type: 'abort'; reason?: string };

export type AnswerPhase = 'queued' | 'searching' | 'writing' | 'checking';

/** A markdown file with front matter; the same `path` again updates the same article. */
export type ArticleFile = { path: string; content: string };

export type ArticleImport = {
  id: string;
  status: 'running' | 'completed';
  total: number;
  /** Written: new, or changed. */
  done: number;
  /** The same as what is there already. */
  skipped: number;
  failed: number;
  /** The first 100 of what has failed. */
  errors: { path: string; message: string }[];
  created_at: string;
  ended_at: string | null;
};

export type EventType =
  | 'ticket.created'
  | 'ticket.updated'
  | 'ticket.status_changed'
  | 'ticket.assigned'
  | 'message.created'
  | 'answer.completed'
  | 'answer.handed_off'
  | 'answer.cancelled'
  | 'answer.superseded'
  | 'answer.rated'
  | 'article.published'
  | 'user.created'
  | 'user.erased';

/** What happened. Newer servers may send types that are not listed here. */
export type SupportEvent = {
  id: string;
  type: EventType;
  actor: { type: Message['author']['type']; id: string | null; name: string };
  subject_id: string;
  ticket_id: string | null;
  /** Staff only: per ticket, without holes. */
  sequence?: number | null;
  /** What it happened to, as it was then: ids and short values. */
  object: Record<string, unknown>;
  /** What the changed values were before. */
  previous: Record<string, unknown> | null;
  created_at: string;
};

/** Pass `next_after` as `after` for what comes next, at any time. */
export type Feed = { data: SupportEvent[]; next_after: string };

/** Somebody at a ticket. */
export type PresentPerson = {
  user_id: string;
  name: string;
  role: 'customer' | 'agent' | 'admin';
  state: 'viewing' | 'typing';
};

/** A part of the live feed. All but `event` and `hello` are about this moment, and are not repeated. */
export type LivePart =
  /** The stream is open, behind this place in the feed. */
  | { type: 'hello'; after: string }
  | { type: 'event'; event: SupportEvent }
  | { type: 'assistant'; ticket_id: string; answer_id: string; state: 'writing' }
  | { type: 'presence'; ticket_id: string; people: PresentPerson[] };

/** The body of a webhook; newer servers may send types that are not listed here. */
export type WebhookEvent = {
  type: EventType | 'webhook.test';
  /** When it happened. */
  timestamp: string;
  data: {
    /** What it happened to, as it was then. */
    object: { id: string } & Record<string, unknown>;
    /** What the changed values were before. */
    previous?: Record<string, unknown>;
    actor: { type: Message['author']['type']; id: string | null };
  };
  /** Of the events of one ticket, without holes. */
  sequence?: number;
};

export type Webhook = {
  id: string;
  url: string;
  description: string;
  events: string[];
  enabled: boolean;
  disabled_reason: 'by-admin' | 'gone' | 'failing' | null;
  failing_since: string | null;
  previous_secret_expires_at: string | null;
  last_24_hours: { succeeded: number; failed: number; pending: number };
  version: number;
  created_at: string;
  updated_at: string;
};

export type DeliveryState = 'pending' | 'succeeded' | 'failed';

export type WebhookDelivery = {
  id: string;
  webhook_id: string;
  event: { id: string; type: string; ticket_id: string | null };
  state: DeliveryState;
  attempts: number;
  next_attempt_at: string | null;
  last_status: number | null;
  last_failure: string | null;
  last_duration_ms: number | null;
  created_at: string;
  ended_at: string | null;
};
