import type { Row } from './row.ts';

const headings = ['measure', 'value', 'reference', 'reach', '', ''];

/** The rows as one table of aligned columns. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.measure,
    shown(row.value, row.unit),
    row.reference ? `${row.reference.name} ${shown(row.reference.value, row.unit)}` : '',
    row.reach,
    row.reach === '' ? '' : row.reached ? 'reached' : 'missed',
    row.note ?? '',
  ]);
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...cells.map((row) => row[column]?.length ?? 0)),
  );
  const line = (row: readonly string[]): string =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('   ')}`.trimEnd();
  return [
    '',
    line(headings),
    line(widths.map((width) => '─'.repeat(width))),
    ...cells.map(line),
    '',
  ].join('\n');
}

function shown(value: number, unit: Row['unit']): string {
  if (unit === 'ms') return `${Math.round(value)} ms`;
  return unit === 'count' ? String(value) : value.toFixed(3);
}
