import type { Migrations } from '../src/platform/database/migrate.ts';
import { identity } from './0001-identity.ts';
import { tickets } from './0002-tickets.ts';
import { knowledge } from './0003-knowledge.ts';
import { answers } from './0004-answers.ts';
import { knowledgeVersions } from './0005-knowledge-versions.ts';
import { gate } from './0006-gate.ts';
import { settings } from './0007-settings.ts';
import { answerTrace } from './0008-answer-trace.ts';
import { events } from './0009-events.ts';
import { webhooks } from './0010-webhooks.ts';
import { mail } from './0011-mail.ts';
import { presence } from './0012-presence.ts';
import { privacy } from './0013-privacy.ts';
import { sessionNetworks } from './0014-session-networks.ts';
import { apiKeys } from './0015-api-keys.ts';

/** All migrations, in order. */
export const migrations: Migrations = {
  '0001-identity': identity,
  '0002-tickets': tickets,
  '0003-knowledge': knowledge,
  '0004-answers': answers,
  '0005-knowledge-versions': knowledgeVersions,
  '0006-gate': gate,
  '0007-settings': settings,
  '0008-answer-trace': answerTrace,
  '0009-events': events,
  '0010-webhooks': webhooks,
  '0011-mail': mail,
  '0012-presence': presence,
  '0013-privacy': privacy,
  '0014-session-networks': sessionNetworks,
  '0015-api-keys': apiKeys,
};
