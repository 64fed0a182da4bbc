import type { Finding } from '../question.ts';
import type { Environment } from './environment.ts';

const headings = ['question', 'server', 'floor or peer', 'ratio', 'reach', ''];

/** The findings as one table, with what one must know to read it. */
export function tableOf(findings: readonly Finding[], environment: Environment): string {
  const rows = findings.map(({ question, server, floor, ratio, reach, reached }) => [
    question,
    server,
    floor,
    ratio === undefined ? '' : ratio.toFixed(2),
    reach,
    reached ? 'reached' : 'missed',
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    `  ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd();
  const { node, postgres, fsync, cores, processor, commit, uncommittedFiles, loadBefore } =
    environment;
  const changed = uncommittedFiles > 0 ? ` with ${uncommittedFiles} uncommitted files` : '';
  return [
    '',
    line(headings),
    line(widths.map((width) => '─'.repeat(width))),
    ...rows.map(line),
    '',
    `  Node ${node}, PostgreSQL ${postgres} with fsync ${fsync}, ${cores} cores of ${processor}, commit ${commit}${changed},`,
    `  seed ${environment.seed}, load of the machine before the run ${loadBefore.toFixed(1)}, open files up to ${environment.openFilesMax}.`,
    '  Medians, turn about in one run: the ratios carry over to other machines, the rest does not.',
    '',
  ].join('\n');
}
