import type { Logger } from 'pino';
import { randomUUIDv7 } from 'node:crypto';
import type { Config } from './config.ts';
import { createBudgets } from './features/answers/answers.budgets.ts';
import { createReadConversation } from './features/answers/answers.conversation.ts';
import { createEndAnswer } from './features/answers/answers.end.ts';
import { createFlusher } from './features/answers/answers.flusher.ts';
import { createPipeline } from './features/answers/answers.pipeline.ts';
import { createAnswersRunner } from './features/answers/answers.run.ts';
import { createAnswersService } from './features/answers/answers.service.ts';
import { createAnswerStreams } from './features/answers/answers.streams.ts';
import { createTails } from './features/answers/answers.tails.ts';
import { findPause, savePause } from './features/answers/answers.pauses.repository.ts';
import { createApiKeysService } from './features/auth/api-keys.service.ts';
import { createCredentials } from './features/auth/credentials.ts';
import { createAccountTokens } from './features/auth/account-tokens.ts';
import { createAuthService } from './features/auth/auth.service.ts';
import { createPasswordResetsService } from './features/auth/password-resets.service.ts';
import { createPasswords } from './features/auth/passwords.ts';
import { createSessionStreams } from './features/auth/session.streams.ts';
import { createSessions } from './features/auth/sessions.ts';
import { createSignInThrottle } from './features/auth/sign-in-throttle.ts';
import { createTokens } from './features/auth/tokens.ts';
import { createEventsRelay } from './features/events/events.relay.ts';
import { createEventsService } from './features/events/events.service.ts';
import { createGapsService } from './features/knowledge/gaps.service.ts';
import { createGateService } from './features/knowledge/gate.service.ts';
import { createImportsService } from './features/knowledge/imports.service.ts';
import { startKnowledgeJobs } from './features/knowledge/knowledge.jobs.ts';
import { reindexQueue, requestCalibration } from './features/knowledge/knowledge.queues.ts';
import { createKnowledgeService } from './features/knowledge/knowledge.service.ts';
import { createPublisher } from './features/knowledge/publish.ts';
import { createRetrieval } from './features/knowledge/retrieval.ts';
import { createLiveHub } from './features/live/live.hub.ts';
import { createLiveNotices } from './features/live/live.notices.ts';
import { liveFrames } from './features/live/live.stream.ts';
import { createLiveStreams } from './features/live/live.streams.ts';
import { createPresenceService } from './features/live/presence.service.ts';
import { createMailConsumer, type SendMail } from './features/mail/mail.consumer.ts';
import { createWriteMail } from './features/mail/mail.content.ts';
import { startMailJobs } from './features/mail/mail.jobs.ts';
import { mailQueue } from './features/mail/mail.queues.ts';
import { createMailService } from './features/mail/mail.service.ts';
import { createMessagesService } from './features/messages/messages.service.ts';
import { createMetricsService } from './features/operations/metrics.service.ts';
import { createWatch } from './features/operations/metrics.watch.ts';
import { createOperationsService } from './features/operations/operations.service.ts';
import { createSettingsService } from './features/settings/settings.service.ts';
import { createEraseService } from './features/privacy/erase.service.ts';
import { createExportService } from './features/privacy/export.service.ts';
import { startPrivacyJobs } from './features/privacy/privacy.jobs.ts';
import { eraseQueue, lookAgainSeconds } from './features/privacy/privacy.queues.ts';
import { createRetentionService } from './features/privacy/retention.service.ts';
import { createTicketsService } from './features/tickets/tickets.service.ts';
import { createUsersService, type SendErase } from './features/users/users.service.ts';
import { createAttempt } from './features/webhooks/attempt.ts';
import { createDeliveriesService } from './features/webhooks/deliveries.service.ts';
import { createDispatcher } from './features/webhooks/dispatcher.ts';
import { createFanOut } from './features/webhooks/fan-out.ts';
import { createRecordAttempts } from './features/webhooks/record-attempts.ts';
import { startWebhooksJobs } from './features/webhooks/webhooks.jobs.ts';
import { createWebhooksService } from './features/webhooks/webhooks.service.ts';
import { migrations } from '../migrations/migrations.ts';
import { createBreaker } from './platform/ai/breaker.ts';
import { createFailover } from './platform/ai/failover.ts';
import { createOpenAiCompatibleProvider } from './platform/ai/openai-compatible.ts';
import type { AiProvider } from './platform/ai/provider.ts';
import { createSlots } from './platform/ai/slots.ts';
import type { Bus } from './platform/bus/bus.ts';
import { createCache } from './platform/cache/cache.ts';
import type { Clock } from './platform/clock.ts';
import type { Database } from './platform/database/connect.ts';
import { createEventStreams } from './platform/http/event-stream.ts';
import { createRequestLimits } from './platform/http/request-limits.ts';
import { createOutbound } from './platform/outbound/outbound.ts';
import { createSealer } from './platform/sealing.ts';
import type { Jobs } from './platform/jobs/jobs.ts';
import { createRateLimits } from './platform/rate-limit/rate-limits.ts';
import type { OptionalRedis } from './platform/redis/optional-redis.ts';
import { createMailer } from './platform/mail/mailer.ts';
import type { Tables } from './tables.ts';

/** What the container cannot make itself: it is opened before, and closed after everything else. */
export type Resources = {
  database: Database<Tables>;
  jobs: Jobs;
  bus: Bus;
  /** Undefined where one instance needs none. */
  redis: OptionalRedis | undefined;
  secretKeys: readonly string[];
  clock: Clock;
  logger: Logger;
};

export type Container = ReturnType<typeof createContainer>;

/** The composition root: everything is created here, by hand, in order. */
export function createContainer(config: Config, resources: Resources) {
  const { database, jobs, bus, redis, secretKeys, clock, logger } = resources;
  const { db } = database;
  const { exchangeSecret } = config;

  const limits = createRateLimits({ redis });
  const metrics = createMetricsService({
    db,
    token: config.metricsToken,
    look: () => ({
      streams: { live: hub.readers.size, answer: eventStreams.count() - hub.readers.size },
      connections: database.connections?.(),
      providers: providers.map((provider) => ({
        provider: provider.name,
        model: provider.model,
        isLeftAlone: breaker.isOpen(provider),
      })),
      isBusUp: bus.isUp(),
      areLimitsShared: redis?.isUsable(),
    }),
  });
  const watch = createWatch(metrics.meters);

  const events = createEventsService({ db, onRecorded: () => relay.wake() });
  const settings = createSettingsService({
    db,
    events,
    onLanguageChange: (db) => jobs.send(db, reindexQueue, {}),
  });
  const passwords = createPasswords();
  const tokens = createTokens({ keys: secretKeys, exchangeSecret, clock });
  const sessions = createSessions({ db, clock, tokens });
  const accountTokens = createAccountTokens({ db, keys: secretKeys, clock });
  const sendMail: SendMail | undefined =
    config.mail && ((db, mail) => jobs.send(db, mailQueue, { mailId: randomUUIDv7(), ...mail }));
  const sendErase: SendErase = (db, userId) => jobs.send(db, eraseQueue, { userId });
  const users = createUsersService({
    db,
    events,
    clock,
    sessions,
    passwords,
    sendErase,
    sendInvitation:
      sendMail &&
      (async (db, userId) => {
        const aboutId = randomUUIDv7();
        await accountTokens.invite(db, aboutId, userId);
        await sendMail(db, { kind: 'invitation', userId, aboutId });
      }),
  });
  const throttle = createSignInThrottle({
    limits,
    failuresMax: config.signInFailuresMax,
    isKnownAt: ({ account, network }) => sessions.isKnownAt(account, network),
  });
  const auth = createAuthService({
    db,
    events,
    users,
    sessions,
    passwords,
    tokens,
    accountTokens,
    throttle,
  });
  const apiKeys = createApiKeysService({
    db,
    events,
    clock,
    sealer: createSealer({ keys: secretKeys, purpose: 'api keys' }),
  });
  const credentials = createCredentials({ auth, apiKeys });
  const passwordResets = createPasswordResetsService({
    db,
    events,
    accountTokens,
    passwords,
    sessions,
    mailToken: sendMail,
  });
  const mail =
    config.mail &&
    createMailService({
      db,
      clock,
      mailer: createMailer(config.mail),
      write: createWriteMail({
        db,
        publicUrl: config.publicUrl,
        giveToken: ({ aboutId, userId, kind }) => accountTokens.give(aboutId, userId, kind),
      }),
      perHourMax: config.mail.perHourMax,
      logger,
    });

  const publisher = createPublisher({
    db,
    events,
    language: async () => (await settings.get()).language,
    onChange: (db) => requestCalibration(jobs, db),
  });
  const searchCache = createCache({
    name: 'search',
    seconds: config.searchCacheSeconds,
    secret: secretKeys[0] ?? '',
    redis,
  });
  const knowledge = createKnowledgeService({
    db,
    publisher,
    retrieval: createRetrieval({ db, cache: searchCache }),
    settings,
  });
  const imports = createImportsService({ db, jobs, publisher, logger });
  const gate = createGateService({ db, jobs, settings });
  const gaps = createGapsService({ db, knowledge, settings });
  const tickets = createTicketsService({ db, events, bus, clock });
  const erasing = createEraseService({
    db,
    bus,
    events,
    tickets,
    clock,
    lookAgain: (db, userId) =>
      jobs.send(db, eraseQueue, { userId, again: true }, { afterSeconds: lookAgainSeconds }),
  });
  const { keptDays } = config;
  const exporting = createExportService({ db, clock, users });
  const retention = createRetentionService({ db, clock, erasing, sendErase, keptDays });

  const breaker = createBreaker({ clock });
  const providers = createProviders(config);
  const failover = createFailover({
    providers,
    breaker,
    pauses: {
      find: (provider, model) => findPause(db, provider, model),
      save: (provider, model, until) => savePause(db, provider, model, until),
    },
    clock,
    waitBudgetMs: config.ai.waitBudgetMs,
    onAttempt: watch.aiAttempt,
    logger,
  });
  const pipeline = createPipeline({
    knowledge,
    failover,
    modelCount: providers.length,
    budgets: createBudgets({ db, limits: config.ai, prices: config.ai.prices }),
    extractive: config.ai.chain.some((candidate) => candidate.provider === 'extractive'),
    enabled: config.ai.enabled,
  });

  const { leaseMs, sweepMs, streamsPerUserMax } = config.answers;
  const tails = createTails({ db, bus });
  const runner = createAnswersRunner({
    db,
    bus,
    slots: createSlots({ max: config.ai.concurrencyMax }),
    readConversation: createReadConversation({ db, settings }),
    pipeline,
    flusher: createFlusher({ db, bus, leaseMs, logger }),
    tails,
    endAnswer: createEndAnswer({ tickets, gaps, events, leaseMs }),
    watch: watch.answer,
    logger,
    settings: { leaseMs, sweepMs, queueWaitMs: config.ai.queueWaitMs },
  });
  const answers = createAnswersService({
    db,
    bus,
    events,
    tickets,
    runner,
    settings: { enabled: config.ai.enabled, leaseMs },
  });
  const messages = createMessagesService({ db, bus, tickets, answers });

  const eventStreams = createEventStreams({ ...config.streams, bufferBytesMax: 256 * 1024 });
  const sessionStreams = createSessionStreams({
    eventStreams,
    isLive: credentials.isLive,
    perUserMax: streamsPerUserMax,
  });
  const answerStreams = createAnswerStreams({ tails, sessionStreams });
  const presence = createPresenceService({ db, bus, tickets });
  const hub = createLiveHub({ events, bus, frames: liveFrames });
  const notices = createLiveNotices({ bus, hub, presence, frames: liveFrames });
  const liveStreams = createLiveStreams({ hub, sessionStreams });
  const sealer = createSealer({ keys: secretKeys, purpose: 'webhook secrets' });
  const outbound = createOutbound({
    policy: { requireHttps: config.environment === 'production', allow: config.webhooks.allow },
    timeoutMs: config.webhooks.timeoutMs,
    responseBytesMax: 64 * 1024,
  });
  const webhooks = createWebhooksService({ db, bus, events, outbound, sealer });
  const deliveries = createDeliveriesService({
    db,
    bus,
    jobs,
    clock,
    keptDays: config.keptDays.logs,
  });
  const dispatcher = createDispatcher({
    db,
    bus,
    attempt: createAttempt({ outbound, sealer }),
    record: createRecordAttempts({
      db,
      events,
      clock,
      onRecorded: watch.webhookAttempt,
      ...config.webhooks,
    }),
    logger,
    settings: {
      leaseMs: config.webhooks.timeoutMs + 10_000,
      attemptsMax: 1_000,
      perWebhookMax: 8,
      perFailingWebhookMax: 1,
    },
  });
  const relay = createEventsRelay({
    db,
    bus,
    consumers: [
      createFanOut({ bus }),
      ...(sendMail ? [createMailConsumer({ sendMail })] : []),
      watch.events,
    ],
    logger,
  });

  const operations = createOperationsService({
    database,
    migrations,
    aiAlarms: breaker.alarms,
    isBusUp: bus.isUp,
  });
  const perMinute = config.requestLimits;
  const requestLimits = createRequestLimits({
    read: limits.of({ name: 'read', max: perMinute.read, windowSeconds: 60 }),
    search: limits.of({ name: 'search', max: perMinute.search, windowSeconds: 60 }),
    write: limits.of({ name: 'write', max: perMinute.write, windowSeconds: 60 }),
    'sign-in': limits.of({ name: 'sign-in', max: perMinute['sign-in'], windowSeconds: 60 }),
    account: limits.of({ name: 'account', max: perMinute.account, windowSeconds: 3_600 }),
  });

  return {
    database,
    jobs,
    /** Starts what this process does in the background, if it works at all. */
    async startJobs(): Promise<void> {
      await startKnowledgeJobs({ jobs, knowledge, imports, gate });
      await startWebhooksJobs({ jobs, deliveries });
      await startPrivacyJobs({ jobs, erasing, retention });
      // Only while a key is being rotated is there anything sealed with another one.
      if (secretKeys.length > 1) await webhooks.resealSecrets();
      if (config.runJobs) dispatcher.start();
      if (mail) await startMailJobs({ jobs, mail });
    },
    events,
    relay,
    webhooks,
    deliveries,
    dispatcher,
    passwords,
    accountTokens,
    auth,
    apiKeys,
    credentials,
    passwordResets,
    users,
    settings,
    knowledge,
    imports,
    gaps,
    gate,
    tickets,
    erasing,
    exporting,
    retention,
    answers,
    messages,
    operations,
    metrics,
    watch,
    runner,
    providers,
    breaker,
    eventStreams,
    answerStreams,
    presence,
    liveStreams,
    requestLimits,
    /** Ends what the live feed and presence do by themselves. */
    stopLive: () => [presence, hub, notices].forEach((part) => part.stop()),
  };
}

/** The models of the chain, in its order; the extractive mode behind them is no provider. */
export const createProviders = ({ ai }: Config): AiProvider[] =>
  ai.chain
    .filter((candidate) => candidate.provider !== 'extractive')
    .map((candidate) =>
      createOpenAiCompatibleProvider({ ...candidate, name: candidate.provider, timeouts: ai }),
    );
