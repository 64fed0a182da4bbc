import { isStaff, type Actor } from '../auth/actor.ts';
import type { LiveFrame } from './live.ring.ts';

/** Where a reader's frames go. */
export type LiveSink = {
  push(frame: Uint8Array): boolean;
  wanted(): Promise<void>;
  readonly signal: AbortSignal;
};

export type LiveReader = {
  readonly actor: Actor;
  readonly sink: LiveSink;
  /** Up to here the reader has everything that is for them; kept while they are behind. */
  position: number;
  /** Behind: gets what they miss by themselves, and nothing from `deliver`. */
  isBehind: boolean;
};

/** Who reads, by what they may see: an event is joined and pushed without a look at each reader's rights. */
export function createLiveReaders(onBehind: (reader: LiveReader) => void) {
  const admins = new Set<LiveReader>();
  const agents = new Set<LiveReader>();
  const customers = new Map<string, Set<LiveReader>>();

  function push(readers: Iterable<LiveReader>, frames: readonly SentFrame[]): void {
    const first = frames[0];
    const last = frames.at(-1);
    if (!first || !last) return;
    const joined = joinFrames(frames);
    for (const reader of readers) {
      if (reader.isBehind) continue;
      const isAhead = reader.position >= first.position;
      const bytes = isAhead ? joinFrames(framesBehind(frames, reader.position)) : joined;
      if (bytes.length === 0) continue;
      reader.position = last.position;
      if (!reader.sink.push(bytes)) onBehind(reader);
    }
  }

  const staffOf = ({ role }: Actor): Set<LiveReader> => (role === 'admin' ? admins : agents);

  return {
    get size(): number {
      return admins.size + agents.size + customers.size;
    },
    add(reader: LiveReader): void {
      if (isStaff(reader.actor)) return void staffOf(reader.actor).add(reader);
      const own = customers.get(reader.actor.id) ?? new Set();
      customers.set(reader.actor.id, own.add(reader));
    },
    remove(reader: LiveReader): void {
      staffOf(reader.actor).delete(reader);
      const own = customers.get(reader.actor.id);
      own?.delete(reader);
      if (own?.size === 0) customers.delete(reader.actor.id);
    },
    /** Events, to everybody who may see them and is not behind. */
    deliver(frames: readonly LiveFrame[]): void {
      push(admins, frames.map(forStaff));
      push(agents, frames.filter(({ isForAgents }) => isForAgents).map(forStaff));
      const byCustomer = Map.groupBy(frames, ({ requesterId }) => requesterId);
      for (const [id, own] of byCustomer) {
        if (id !== null) push(customers.get(id) ?? [], own.flatMap(forCustomer));
      }
    },
    /** What is about this moment. */
    toStaff: (bytes: Uint8Array): void => [admins, agents].forEach((all) => whisper(all, bytes)),
    toCustomer: (id: string, bytes: Uint8Array): void => whisper(customers.get(id) ?? [], bytes),
  };

  function whisper(readers: Iterable<LiveReader>, bytes: Uint8Array): void {
    for (const reader of readers) {
      if (!reader.isBehind && !reader.sink.push(bytes)) onBehind(reader);
    }
  }
}

type SentFrame = { position: number; bytes: Uint8Array };

const forStaff = ({ position, staff }: LiveFrame): SentFrame => ({ position, bytes: staff });
const forCustomer = ({ position, customer }: LiveFrame): SentFrame[] =>
  customer ? [{ position, bytes: customer }] : [];

/** What the reader gets of these frames. */
export const framesFor = (actor: Actor, frames: readonly LiveFrame[]): Uint8Array =>
  joinFrames(
    isStaff(actor)
      ? frames.filter((frame) => frame.isForAgents || actor.role === 'admin').map(forStaff)
      : frames.filter(({ requesterId }) => requesterId === actor.id).flatMap(forCustomer),
  );

const framesBehind = (frames: readonly SentFrame[], position: number): SentFrame[] =>
  frames.filter((frame) => frame.position > position);

function joinFrames(frames: readonly SentFrame[]): Uint8Array {
  const [first] = frames;
  return frames.length === 1 && first
    ? first.bytes
    : Buffer.concat(frames.map(({ bytes }) => bytes));
}
