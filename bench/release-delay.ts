import type { Bench, Finding, Question } from './question.ts';
import { startConversations, tokensPerSecond, type Measurement } from './support/conversations.ts';
import { median, rounded } from './support/statistics.ts';

/*
 * How long from the AI's chunk to its text at the reader, saved on the way, with 100 answers live?
 * The peer passes the AI's bytes on as they are: what the machine itself takes.
 */

const answers = 100;
const p50MsMax = 5;
const p99MsMax = 25;

export const releaseDelay: Question = { names: ['release-delay'], ask };

async function ask(bench: Bench): Promise<Finding[]> {
  bench.tell('release-delay');
  const [rounds, milliseconds] = bench.quick ? [1, 2_000] : [5, 4_000];
  const conversations = await startConversations(bench, 'release-delay');
  // Round 0 is for the compilers.
  await conversations.measure('server', answers, 1_000);
  const server: Measurement[] = [];
  const pipe: Measurement[] = [];
  for (let round = 0; round < rounds; round += 1) {
    server.push(await conversations.measure('server', answers, milliseconds));
    pipe.push(await conversations.measure('pipe', answers, milliseconds));
  }
  await conversations.stop();
  const [ours, theirs] = [summaryOf(server), summaryOf(pipe)];
  const shown = ({ p50Ms, p99Ms }: { p50Ms: number; p99Ms: number }) =>
    `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`;
  return [
    {
      question: 'release-delay',
      server: shown(ours),
      floor: shown(theirs),
      ratio: rounded(ours.p50Ms / theirs.p50Ms),
      reach: `p50 ≤ ${p50MsMax} ms, p99 ≤ ${p99MsMax} ms`,
      reached: ours.p50Ms <= p50MsMax && ours.p99Ms <= p99MsMax,
      details: {
        answers,
        tokensPerSecond,
        addedP50Ms: rounded(ours.p50Ms - theirs.p50Ms),
        addedP99Ms: rounded(ours.p99Ms - theirs.p99Ms),
        server,
        pipe,
      },
    },
  ];
}

const summaryOf = (rounds: readonly Measurement[]) => ({
  p50Ms: median(rounds.map((round) => round.p50Ms)),
  p99Ms: median(rounds.map((round) => round.p99Ms)),
});
