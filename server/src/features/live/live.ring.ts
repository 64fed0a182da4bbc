/** An event as it goes out; `customer` is what the customer gets whose ticket it is about. */
export type LiveFrame = {
  position: number;
  requesterId: string | null;
  staff: Uint8Array;
  customer: Uint8Array | undefined;
};

/** The newest events: all there are behind `begin`, up to `head`. */
export function createLiveRing(framesMax: number) {
  let frames: LiveFrame[] = [];
  let begin = 0;
  let head = 0;

  return {
    get head(): number {
      return head;
    },
    /** Forgets what it has and goes on behind the position. */
    restart(position: number): void {
      frames = [];
      begin = head = position;
    },
    add(next: readonly LiveFrame[]): void {
      frames.push(...next);
      head = next.at(-1)?.position ?? head;
      if (frames.length <= framesMax) return;
      const dropped = frames.splice(0, frames.length - framesMax);
      begin = dropped.at(-1)?.position ?? begin;
    },
    /** The first `limit` behind a position; undefined when it does not reach back so far. */
    behind(position: number, limit: number): LiveFrame[] | undefined {
      if (position < begin) return undefined;
      const from = frames.findIndex((frame) => frame.position > position);
      return from < 0 ? [] : frames.slice(from, from + limit);
    },
  };
}
