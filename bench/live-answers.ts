import type { Bench, Finding, Question } from './question.ts';
import { startConversations, tokensPerSecond, type Measurement } from './support/conversations.ts';
import { rounded } from './support/statistics.ts';

/*
 * How many answers can be live at once, each at 20 tokens a second, before a reader notices? The peer
 * passes the AI's bytes on as they are, at the same load.
 */

const steps = [100, 250, 500, 1_000, 1_500, 2_000];
const quickSteps = [100, 250];
const p99MsMax = 250;
const answersReach = 1_000;
const cpuRatioMax = 2;
/** A step at which the fake AI or the readers fall behind says nothing about the server. */
const arrivedMin = 0.95;

type Step = { server: Measurement; pipe: Measurement; carried: boolean };

export const liveAnswers: Question = { names: ['live-answers'], ask };

async function ask(bench: Bench): Promise<Finding[]> {
  bench.tell('live-answers');
  const milliseconds = bench.quick ? 2_000 : 5_000;
  const conversations = await startConversations(bench, 'live-answers');
  await conversations.measure('server', 100, 1_000);
  const measured: Step[] = [];
  for (const answers of bench.quick ? quickSteps : steps) {
    bench.tell(`live-answers: ${answers}`);
    const server = await conversations.measure('server', answers, milliseconds);
    const pipe = await conversations.measure('pipe', answers, milliseconds);
    const carried =
      server.live === answers && server.p99Ms <= p99MsMax && server.arrived >= arrivedMin;
    measured.push({ server, pipe, carried });
    if (!carried) break;
  }
  await conversations.stop();

  const best = measured.findLast((step) => step.carried);
  const answers = best?.server.answers ?? 0;
  const ratio = best && rounded(best.server.cpu / best.pipe.cpu);
  const shown = (of: Measurement | undefined) =>
    of ? `p99 ${of.p99Ms.toFixed(0)} ms, ${of.cpu.toFixed(2)} cores` : 'none';
  return [
    {
      question: 'live-answers',
      server: `${answers} answers: ${shown(best?.server)}`,
      floor: shown(best?.pipe),
      ratio,
      reach: `≥ ${answersReach}, CPU ≤ ${cpuRatioMax}×`,
      reached: answers >= answersReach && (ratio ?? Number.POSITIVE_INFINITY) <= cpuRatioMax,
      details: { tokensPerSecond, p99MsMax, steps: measured },
    },
  ];
}
