/** An event as it goes out; `customer` is what the customer gets whose ticket it is about. */
export type LiveFrame = {
  position: number;
  requesterId: string | null;
  /** Of the staff, admins see all of it. */
  isForAgents: boolean;
  staff: Uint8Array;
  customer: Uint8Array | undefined;
};

/**
 * Sent at once, and kept twice for a reader who takes nothing more. A page of large events would look
 * like a reader who falls behind.
 */
const bytesMax = 32 * 1024;

/** The first of the frames, as many as go out at once; one at least. */
export function firstOf(frames: readonly LiveFrame[]): LiveFrame[] {
  let bytes = 0;
  const end = frames.findIndex((frame, at) => {
    bytes += frame.staff.length;
    return at > 0 && bytes > bytesMax;
  });
  return frames.slice(0, end < 0 ? frames.length : end);
}

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
    /** What goes out next behind a position; undefined when it does not reach back so far. */
    behind(position: number): LiveFrame[] | undefined {
      if (position < begin) return undefined;
      const from = frames.findIndex((frame) => frame.position > position);
      return from < 0 ? [] : firstOf(frames.slice(from));
    },
  };
}
