/*
 * Every column of every table, and what becomes of it when a person is erased. A test fails for a
 * column that is not here: who adds one says whether somebody's words can be in it.
 *
 * removed   the row goes
 * blanked   the value goes, the row stays for what it counts
 * kept      ids, times, numbers, states: they lead to nobody when the name is gone
 * company   the words of the workspace: articles, settings, where webhooks go
 */

export type Fate = 'removed' | 'blanked' | 'kept' | 'company';

export const personalData: Record<string, Partial<Record<Fate, string>>> = {
  users: {
    blanked: 'email name password_hash external_issuer external_subject locale',
    kept: 'id role kind disabled_at version created_at updated_at erase_requested_at erased_at',
  },
  api_keys: {
    kept: 'id token_hash prefix scopes created_by created_at expires_at last_used_at',
  },
  sessions: {
    removed:
      'id user_id token_hash rotation_key rotated_at user_agent network created_at expires_at ' +
      'revoked_at',
  },
  idempotency_keys: { removed: 'user_id route key request_hash status body created_at' },
  account_tokens: { removed: 'id user_id purpose created_at expires_at used_at' },
  mails: { removed: 'id user_id kind begun_at sent_at' },
  presence: { removed: 'ticket_id user_id state until' },
  tickets: {
    blanked: 'title description tags',
    kept:
      'id number status priority requester_id assignee_id assistant handoff_reason handoff_at ' +
      'handoff_answer_id channel version last_seq last_event last_message_at created_at updated_at ' +
      'resolved_at erased_at',
  },
  messages: {
    blanked: 'content citations',
    kept: 'id ticket_id seq author_type author_id visibility answer_id created_at',
  },
  answers: {
    blanked: 'text sources citations trace feedback_comment',
    kept:
      'id ticket_id message_id state attempt up_to_seq verdict handoff_mode handoff_reason ' +
      'finish_reason failure provider model input_tokens output_tokens cost needs_review ' +
      'lease_owner lease_until feedback_helpful feedback_reason feedback_at queued_at started_at ' +
      'ended_at',
  },
  knowledge_gaps: { removed: 'id answer_id ticket_id question article_id created_at' },
  events: {
    // Titles, tags and addresses; the rest of it is ids and states.
    blanked: 'data previous',
    kept: 'id type position ordinal actor_type actor_id ticket_id subject_id sequence created_at',
  },
  webhook_deliveries: {
    kept: 'id webhook_id event_id state attempts tries next_attempt_at created_at ended_at',
  },
  webhook_attempts: {
    blanked: 'message response_headers response_body',
    kept: 'delivery_id number outcome started_at duration_ms status failure',
    company: 'url',
  },
  webhooks: {
    company: 'url description events secret previous_secret',
    kept:
      'id previous_secret_until disabled_at disabled_reason failing_since version created_at ' +
      'updated_at',
  },
  articles: {
    company: 'title body tags source',
    kept: 'id audience status version published_version created_at updated_at published_at',
  },
  article_versions: {
    company: 'title body tags',
    kept: 'article_id version audience created_by created_at',
  },
  article_imports: { kept: 'id created_by total created_at ended_at' },
  article_import_items: { company: 'path article message', kept: 'import_id ordinal state' },
  article_chunks: {
    company: 'heading content',
    kept: 'id article_id version staged_at ordinal length',
  },
  chunk_terms: { company: 'lexeme', kept: 'chunk_id frequency' },
  lexemes: { company: 'lexeme', kept: 'chunks' },
  knowledge_totals: { kept: 'id chunks length version' },
  gate_calibrations: {
    kept: 'knowledge_version samples intercept weights curve created_at',
  },
  settings: { company: 'changes', kept: 'id version updated_at' },
  feed_head: { kept: 'id position' },
  ai_pauses: { kept: 'provider model until' },
};
