import type { Kysely, Selectable } from 'kysely';
import type { Clock } from '../../platform/clock.ts';
import type { Tables, TicketsTable } from '../../tables.ts';
import type { Actor } from '../auth/actor.ts';
import type { UsersService } from '../users/users.service.ts';
import * as repository from './export.repository.ts';
import type { RequestRow } from './export.repository.ts';

type ReadById<Row> = (
  db: Kysely<Tables>,
  userId: string,
  after: string | undefined,
) => Promise<Row[]>;

export type ExportService = ReturnType<typeof createExportService>;

/** Everything that is kept of a person, as one document. */
export function createExportService(dependencies: {
  db: Kysely<Tables>;
  clock: Clock;
  users: UsersService;
}) {
  const { db, clock, users } = dependencies;

  return {
    /**
     * The document in pieces, so that it is in memory at no time, however much there is. Who exports
     * themselves gets no notes between members of the team. Throws before the first piece, or when
     * the database goes away.
     */
    async export(actor: Actor, userId: string): Promise<AsyncGenerator<string>> {
      const user = await users.get(actor, userId);
      const { password_hash, disabled_at, kind: _kind, ...profile } = user;
      const head = {
        exported_at: clock.now(),
        user: { ...profile, has_password: password_hash !== null, disabled_at },
      };
      return documentOf(head, userId, actor.id !== userId);
    },
  };

  async function* documentOf(
    head: object,
    userId: string,
    withNotes: boolean,
  ): AsyncGenerator<string> {
    const all = <Row extends { id: string }>(read: ReadById<Row>): AsyncGenerator<Row> =>
      rowsOf(
        (after: string | undefined) => read(db, userId, after),
        (row) => row.id,
      );
    const requests = rowsOf(
      (after: RequestRow | undefined) => repository.listRequests(db, userId, after),
      (row) => row,
    );
    yield JSON.stringify(head).slice(0, -1);
    yield* list('sessions', all(repository.listSessions));
    yield* list('events', all(repository.listAccountEvents));
    yield* list('mails', all(repository.listMails));
    yield* list('links', all(repository.listLinks));
    yield* list('requests', requests);
    yield* list('tickets', all(repository.listTickets), (ticket) => ticketOf(ticket, withNotes));
    yield '}';
  }

  async function* ticketOf(
    ticket: Selectable<TicketsTable>,
    withNotes: boolean,
  ): AsyncGenerator<string> {
    const { id, number, title, description, status, priority, tags, channel } = ticket;
    const { created_at, updated_at, resolved_at, erased_at } = ticket;
    const fields = { id, number, title, description, status, priority, tags, channel };
    const part = { ticketId: id, withNotes };
    const messages = rowsOf(
      (after: number | undefined) => repository.listMessages(db, part, after),
      (row) => row.seq,
    );
    const answers = rowsOf(
      (after: string | undefined) => repository.listAnswers(db, part, after),
      (row) => row.id,
    );
    const events = rowsOf(
      (after: number | undefined) => repository.listTicketEvents(db, part, after),
      (row) => row.sequence ?? undefined,
    );
    yield JSON.stringify({ ...fields, created_at, updated_at, resolved_at, erased_at }).slice(
      0,
      -1,
    );
    yield* list('messages', messages);
    yield* list('answers', answers);
    yield* list('events', events);
    yield '}';
  }
}

/** Reads page by page, each behind the key of the last row before. */
async function* rowsOf<Row, Key>(
  read: (after: Key | undefined) => Promise<Row[]>,
  keyOf: (row: Row) => Key | undefined,
): AsyncGenerator<Row> {
  for (let after: Key | undefined; ;) {
    const rows = await read(after);
    yield* rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < repository.pageMax) return;
    after = keyOf(last);
  }
}

/** One more member of an object, a list, in pieces. */
async function* list<Row>(
  name: string,
  rows: AsyncIterable<Row>,
  write: (row: Row) => Iterable<string> | AsyncIterable<string> = (row) => [JSON.stringify(row)],
): AsyncGenerator<string> {
  yield `,${JSON.stringify(name)}:[`;
  let comma = '';
  for await (const row of rows) {
    yield comma;
    yield* write(row);
    comma = ',';
  }
  yield ']';
}
