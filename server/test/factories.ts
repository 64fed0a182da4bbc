import { randomBytes, randomUUID, randomUUIDv7 } from 'node:crypto';
import { createSigner } from 'fast-jwt';
import type { Insertable, Updateable } from 'kysely';
import type { Actor } from '../src/features/auth/actor.ts';
import { scopes, type Scope } from '../src/features/auth/scopes.ts';
import { transaction } from '../src/platform/database/transaction.ts';
import type {
  AnswersTable,
  ArticleStatus,
  Audience,
  Role,
  TicketsTable,
  WebhooksTable,
} from '../src/tables.ts';
import { testPassword, until, type TestApp, type TestClient } from './harness.ts';

export type Factories = ReturnType<typeof createFactories>;

const exchangeSecret = 'a secret that a host product shares with us';
export const exchangeEnv = { EXCHANGE_SECRET: exchangeSecret };
const signAsHost = createSigner({ algorithm: 'HS256', key: exchangeSecret });

/** Where webhooks may go that never send: nothing listens there. */
const allowedHost = '127.0.0.1:9';
export const allowedUrl = `http://${allowedHost}/hooks`;

/** For servers that send mail, but have nobody who works on it. */
const mailEnv = { SMTP_URL: 'smtp://127.0.0.1:1', MAIL_FROM: 'support@example.com' };

export const metricsToken = randomBytes(32).toString('base64url');

/** What an instance needs for everything that the factories make. */
export const factoriesEnv = {
  ...exchangeEnv,
  WEBHOOK_ALLOW: allowedHost,
  ...mailEnv,
  METRICS_TOKEN: metricsToken,
};

/** An id that belongs to nothing. */
export const unknownId = '0199f3a0-0000-7000-8000-000000000000';

const actorOf = ({ user }: TestClient): Actor => ({ ...user, sessionId: unknownId });

/** Makes what tests are about, without the work that making it over HTTP would start. */
export function createFactories(app: TestApp) {
  const { container, db, clock } = app;

  return {
    user: app.as,

    /** Another session of the user: its id and its refresh token. */
    async session({ user }: TestClient): Promise<{ id: string; refreshToken: string }> {
      const login = await app.anonymous.post('/api/v1/auth/login', {
        email: user.email,
        password: testPassword,
      });
      const refreshToken = String(login.body.refresh_token);
      const [id = ''] = refreshToken.split('.');
      return { id, refreshToken };
    },

    /** Somebody who has no password yet. */
    invited: (role: Role = 'agent') =>
      transaction(db, (db) =>
        container.users.register(db, {
          email: `${randomUUID()}@example.com`,
          name: 'Grace Hopper',
          role,
          passwordHash: null,
        }),
      ),

    /** The token of an invitation, as it stands in the mail. */
    async accountToken(): Promise<string> {
      const { id: userId } = await this.invited();
      const id = randomUUIDv7();
      await transaction(db, (db) => container.accountTokens.invite(db, id, userId));
      const token = await container.accountTokens.give(id, userId, 'invitation');
      if (!token) throw new Error('There is no token.');
      return token;
    },

    /** A ticket of the requester with its first message; the assistant is not asked. */
    async ticket(requester: TestClient, changes: Updateable<TicketsTable> = {}): Promise<string> {
      const input = { title: 'Shoes do not fit', description: 'How long may I return shoes?' };
      const { id } = await transaction(db, (db) =>
        container.tickets.create(db, actorOf(requester), input),
      );
      await db
        .updateTable('tickets')
        .set({ ...changes, updated_at: clock.now() })
        .where('id', '=', id)
        .execute();
      return id;
    },

    /** An internal note on a ticket. */
    async note(ticketId: string, author: TestClient): Promise<string> {
      const note = await transaction(db, (db) =>
        container.tickets.appendMessage(
          db,
          { type: 'agent', id: author.user.id },
          {
            ticketId,
            authorType: 'agent',
            authorId: author.user.id,
            visibility: 'internal',
            content: 'Between us: a regular customer.',
          },
        ),
      );
      return note.id;
    },

    /** Where the object's first event stands in the feed. */
    positionOf: (objectId: string): Promise<number> =>
      until('the event to get its position', async () => {
        const event = await db
          .selectFrom('events')
          .select('position')
          .where('subject_id', '=', objectId)
          .orderBy('ordinal')
          .executeTakeFirst();
        return event?.position ?? false;
      }),

    /** An answer to the first message of a ticket; a live one belongs to a process that never ends. */
    async answer(
      ticketId: string,
      state: 'completed' | 'failed' | 'streaming' = 'completed',
    ): Promise<string> {
      const now = clock.now();
      const isLive = state === 'streaming';
      const answer: Insertable<AnswersTable> = {
        id: randomUUID(),
        ticket_id: ticketId,
        message_id: randomUUID(),
        state,
        up_to_seq: 1,
        text: state === 'failed' ? '' : 'You have 30 days from delivery.',
        started_at: now,
        ended_at: isLive ? null : now,
        lease_owner: isLive ? randomUUID() : null,
        lease_until: isLive ? new Date(now.getTime() + 3_600_000) : null,
      };
      await db.insertInto('answers').values(answer).execute();
      return answer.id;
    },

    /** A question without an answer, on a ticket where an agent has replied. */
    async gap(
      requester: TestClient,
      agent: TestClient,
    ): Promise<{ gapId: string; messageId: string }> {
      const ticketId = await this.ticket(requester);
      const answerId = await this.answer(ticketId);
      const question = `Do you sell ${randomUUID()}?`;
      const { messageId } = await transaction(db, async (db) => {
        await container.gaps.record(db, { answerId, ticketId, question });
        const message = await container.tickets.appendMessage(
          db,
          { type: 'agent', id: agent.user.id },
          { ticketId, authorType: 'agent', authorId: agent.user.id, content: 'We do.' },
        );
        return { messageId: message.id };
      });
      const gap = await db
        .selectFrom('knowledge_gaps')
        .select('id')
        .where('answer_id', '=', answerId)
        .executeTakeFirstOrThrow();
      return { gapId: gap.id, messageId };
    },

    async article(
      article: { status?: ArticleStatus; audience?: Audience; word?: string } = {},
    ): Promise<string> {
      const { status = 'published', audience = 'public', word = 'shoes' } = article;
      const author: Actor = { id: unknownId, role: 'admin', name: 'Author', sessionId: unknownId };
      const { id } = await container.knowledge.create(author, {
        title: `All about ${word}`,
        body: `## ${word}\n\nWhat there is to know about ${word}.`,
        status,
        audience,
      });
      return id;
    },

    /** An API key that may do everything, unless told otherwise. */
    async apiKey(
      admin: TestClient,
      input: { role?: 'agent' | 'admin'; scopes?: readonly Scope[]; expiresAt?: Date } = {},
    ): Promise<{ id: string; token: string }> {
      const { role = 'admin', expiresAt } = input;
      const granted = [...(input.scopes ?? scopes)];
      const made = await container.apiKeys.create(
        actorOf(admin),
        { name: 'Shop integration', role, scopes: granted, expiresAt },
        undefined,
      );
      return { id: made.key.id, token: made.token };
    },

    /** A webhook of nobody's events, at a place where nothing listens. */
    async webhook(admin: TestClient, changes: Updateable<WebhooksTable> = {}): Promise<string> {
      const input = { url: allowedUrl, events: ['*'] };
      const { webhook } = await container.webhooks.create(actorOf(admin), input, undefined);
      if (Object.keys(changes).length > 0) {
        await db.updateTable('webhooks').set(changes).where('id', '=', webhook.id).execute();
      }
      return webhook.id;
    },

    /** A delivery of a test event. */
    async delivery(webhookId: string, admin: TestClient): Promise<string> {
      const { body } = await container.webhooks.test(actorOf(admin), webhookId, undefined);
      return body.deliveryId;
    },

    /** An import that waits for a process that works. */
    async articleImport(): Promise<string> {
      const author: Actor = { id: unknownId, role: 'admin', name: 'Author', sessionId: unknownId };
      const items = [{ path: 'a.md', message: 'No.' }];
      const { created } = await container.imports.create(author, items, undefined);
      return created.id;
    },

    /** A token with which a host product vouches for one of its users. */
    hostToken(claims: object = {}): string {
      const now = Math.floor(clock.now().getTime() / 1_000);
      return signAsHost({
        iss: 'shop',
        sub: randomUUID(),
        email: `${randomUUID()}@example.com`,
        iat: now,
        exp: now + 60,
        ...claims,
      });
    },
  };
}
