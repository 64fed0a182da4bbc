import { Type, type Static } from 'typebox';
import { closed, named, nullable } from '../../platform/http/schemas.ts';
import type { GateReport } from './gate.service.ts';

const Share = Type.Number({ minimum: 0, maximum: 1 });

export const KnowledgeGate = named(
  'KnowledgeGate',
  Type.Object(
    {
      threshold: Type.Number({ description: 'The `answer_threshold` of the settings.' }),
      knowledge_version: Type.Integer({ description: 'Grows with every publication.' }),
      intercept: Type.Number(),
      weights: Type.Record(Type.String(), Type.Number()),
      calibration: nullable(
        Type.Object(
          {
            knowledge_version: Type.Integer({
              description: 'The version that it was learnt from.',
            }),
            samples: Type.Integer({ description: 'Titles and headings that were asked.' }),
            curve: Type.Array(
              Type.Object(
                {
                  threshold: Type.Number(),
                  coverage: Share,
                  precision: Share,
                  false_answers: Share,
                },
                closed,
              ),
              { description: 'What each threshold would do, as far as the articles tell.' },
            ),
          },
          { ...closed, description: 'Null with few articles: then the shipped weights hold.' },
        ),
      ),
    },
    closed,
  ),
);

/** The report on the wire. */
export const presentGate = (report: GateReport): Static<typeof KnowledgeGate> => ({
  threshold: report.threshold,
  knowledge_version: report.knowledgeVersion,
  intercept: report.gate.intercept,
  weights: { ...report.gate.weights },
  calibration: report.calibration
    ? {
        knowledge_version: report.calibration.knowledgeVersion,
        samples: report.calibration.samples,
        curve: report.calibration.curve.map(({ falseAnswers, ...point }) => ({
          ...point,
          false_answers: falseAnswers,
        })),
      }
    : null,
});

export const exampleGate: Static<typeof KnowledgeGate> = {
  threshold: 0.5,
  knowledge_version: 131,
  intercept: -3.1,
  weights: { coverage: 2.4 },
  calibration: {
    knowledge_version: 131,
    samples: 412,
    curve: [{ threshold: 0.5, coverage: 0.62, precision: 0.93, false_answers: 0.08 }],
  },
};
