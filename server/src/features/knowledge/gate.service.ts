import type { Kysely } from 'kysely';
import { transaction } from '../../platform/database/transaction.ts';
import type { Jobs } from '../../platform/jobs/jobs.ts';
import type { Tables } from '../../tables.ts';
import type { SettingsService } from '../settings/settings.service.ts';
import { calibrate } from './gate-calibration.ts';
import { gateDefaults } from './gate-weights.ts';
import * as repository from './gate.repository.ts';
import type { Calibration, Gate } from './gate.ts';
import { requestCalibration } from './knowledge.queues.ts';

/** The gate as it works now. Without a calibration it is the one that comes with the product. */
export type GateReport = {
  gate: Gate;
  calibration: Calibration | undefined;
  /** The version of the knowledge by now; a calibration of an older one follows in a while. */
  knowledgeVersion: number;
  threshold: number;
};

export type GateService = ReturnType<typeof createGateService>;

export function createGateService(dependencies: {
  db: Kysely<Tables>;
  jobs: Jobs;
  settings: SettingsService;
}) {
  const { db, jobs, settings } = dependencies;

  return {
    async report(): Promise<GateReport> {
      const [calibration, knowledgeVersion, { answer_threshold: threshold }] = await Promise.all([
        repository.findCalibration(db),
        repository.findVersion(db),
        settings.get(),
      ]);
      return { gate: calibration ?? gateDefaults, calibration, knowledgeVersion, threshold };
    },

    /** Learns from the articles as they are now; too few of them leave the shipped weights. */
    async calibrate({ signal }: { signal: AbortSignal }): Promise<void> {
      const { language } = await settings.get();
      const seen = await repository.findVersion(db);
      const calibration = await calibrate(db, { signal, language });
      if (calibration) await repository.saveCalibration(db, calibration);
      else if (signal.aborted) return;
      else await repository.removeCalibrations(db, seen);
      // What changed meanwhile may have found this job waiting still, and left no other.
      const calibratedFor = calibration?.knowledgeVersion ?? seen;
      if ((await repository.findVersion(db)) === calibratedFor) return;
      await transaction(db, (db) => requestCalibration(jobs, db));
    },
  };
}
