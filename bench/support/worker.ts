/*
 * A worker is a process of the bench's own that answers questions of the run one by one: the floor,
 * the pipe, the fake AI, the load, the readers.
 */

export type WorkerQuestion<Ask> = { id: number; ask: Ask };
export type WorkerReply<Reply> = { id: number; reply?: Reply; error?: string };

/** The worker's side. It ends with the run, however that ends. */
export function answerQuestions<Ask, Reply>(answer: (ask: Ask) => Promise<Reply> | Reply): void {
  process.on('disconnect', () => process.exit());
  // Ctrl+C reaches the whole group; the run decides when its workers end.
  process.on('SIGINT', () => undefined);
  process.on('message', ({ id, ask }: WorkerQuestion<Ask>) => {
    void (async () => {
      try {
        process.send?.({ id, reply: await answer(ask) });
      } catch (error) {
        process.send?.({ id, error: error instanceof Error ? error.stack : String(error) });
      }
    })();
  });
}
