import { parseArgs } from 'node:util';
import { fakeAiScenarios, startFakeAi } from '../test/fake-ai.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: process.env['FAKE_AI_PORT'] ?? '8787' },
    host: { type: 'string', default: '127.0.0.1' },
  },
});

const { url } = await startFakeAi({ port: Number(values.port), host: values.host });
const width = Math.max(...Object.keys(fakeAiScenarios).map((name) => name.length));
const scenarios = Object.entries(fakeAiScenarios).map(
  ([name, { about }]) => `  fake/${name.padEnd(width)}  ${about}`,
);

console.log(`A fake AI provider listens at ${url}. It needs no key and costs nothing.

In another terminal:
  AI_PROVIDER=groq AI_BASE_URL=${url} GROQ_API_KEY=fake npm start

Choose how it behaves by the model, for example AI_MODEL='fake/slow?delay=100':
${scenarios.join('\n')}

Ctrl+C ends it.`);
