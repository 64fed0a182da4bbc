import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { GateService } from './gate.service.ts';
import type { ImportsService } from './imports.service.ts';
import {
  calibrationQueue,
  importQueue,
  knowledgeCleanUpQueue,
  reindexQueue,
} from './knowledge.queues.ts';
import type { KnowledgeService } from './knowledge.service.ts';

/** Starts the background work on articles. */
export async function startKnowledgeJobs(dependencies: {
  jobs: Jobs;
  knowledge: KnowledgeService;
  imports: ImportsService;
  gate: GateService;
}): Promise<void> {
  const { jobs, knowledge, imports, gate } = dependencies;
  await jobs.work(importQueue, ({ importId }, { signal }) => imports.run(importId, { signal }));
  await jobs.work(calibrationQueue, (_data, context) => gate.calibrate(context));
  await jobs.work(reindexQueue, (_data, context) => knowledge.reindex(context));
  await jobs.work(knowledgeCleanUpQueue, async (_data, { signal }) => {
    await knowledge.cleanUp({ signal });
    await imports.cleanUp();
  });
  await jobs.schedule(knowledgeCleanUpQueue, '17 * * * *');
}
