type Turn = { go: () => void; written: Promise<void> };

/** A gate that frames pass one by one while it is held, so that a test can step a stream. */
export type Gate = {
  /** Waits for the turn, or until `ended`; returns what to call when the frame is written. */
  pass(ended: Promise<void>): Promise<() => void>;
};

export type Hold = {
  /** Lets `frames` more frames out, waiting for them to come if need be, until they are written. */
  step(frames?: number): Promise<void>;
  /** Lets everything pass, now and later. */
  release(): void;
};

export function createGate() {
  let held = false;
  let turns: Turn[] = [];
  let steps: ((turn: Turn) => void)[] = [];

  async function pass(ended: Promise<void>): Promise<() => void> {
    if (!held) return () => {};
    const { promise: permitted, resolve: go } = Promise.withResolvers<void>();
    const { promise: written, resolve: pass } = Promise.withResolvers<void>();
    const turn = { go, written };
    const step = steps.shift();
    if (step) step(turn);
    else turns.push(turn);
    await Promise.race([permitted, ended]);
    turns = turns.filter((other) => other !== turn);
    return pass;
  }

  async function step(frames = 1): Promise<void> {
    for (let frame = 0; frame < frames; frame += 1) {
      const turn = turns.shift() ?? (await new Promise<Turn>((resolve) => steps.push(resolve)));
      turn.go();
      await turn.written;
    }
  }

  function release(): void {
    held = false;
    for (const turn of turns) turn.go();
    turns = [];
    steps = [];
  }

  function hold(): Hold {
    held = true;
    return { step, release };
  }

  return { pass, hold, release };
}
