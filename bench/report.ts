import type { Row } from './rows.ts';

const number = (value: number | null): string => {
  if (value === null) return '–';
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
};
const percent = (value: number | null): string => (value === null ? '' : ` ±${Math.round(value * 50)}%`);

/** The rows as a Markdown table. The figure behind ± is half of the distance between extremes. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.name,
    row.unit,
    row.peer,
    number(row.ours) + percent(row.spread.ours),
    number(row.theirs) + percent(row.spread.theirs),
    row.ratio === null ? '–' : `${row.ratio.toFixed(2)}×`,
    row.goal ?? '',
    row.met === null ? '' : row.met ? 'yes' : 'MISSED',
  ]);
  const header = ['row', 'unit', 'peer', 'ours', 'theirs', 'ratio', 'goal', 'met'];
  const lines = [header, header.map(() => '---'), ...cells];
  return lines.map((line) => `| ${line.join(' | ')} |`).join('\n');
}

/** The rows as the array that scripts read. */
export const jsonOf = (rows: readonly Row[]): string => JSON.stringify(rows, null, 2);
