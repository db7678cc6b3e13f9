import { limitTable } from '@rostrum/shared/limits.ts';
import { limitNames, limitVariable, variables } from './config-variables.ts';

const start = '<!-- config:start -->';
const end = '<!-- config:end -->';

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** Every variable and every limit as Markdown. */
export const configTable = (): string =>
  [
    row(['variable', 'default', 'what it is']),
    row(['---', '---', '---']),
    ...Object.values(variables).map(({ name, standard, says }) => row([`\`${name}\``, standard, says])),
    '',
    '<details><summary>Limits</summary>',
    '',
    row(['variable', 'default', 'from – to', 'unit', 'why']),
    row(['---', '---', '---', '---', '---']),
    ...limitNames.map((name) => {
      const { value, min, max, unit, reason } = limitTable[name];
      return row([`\`${limitVariable(name)}\``, String(value), `${min} – ${max}`, unit, reason]);
    }),
    '',
    '</details>',
  ].join('\n');

/** The text with the table between its markers. Throws where the markers are missing. */
export const withTable = (text: string, table: string): string => {
  const from = text.indexOf(start);
  const to = text.indexOf(end);
  if (from < 0 || to < from) throw new Error(`no ${start} … ${end} in the text`);
  return `${text.slice(0, from + start.length)}\n${table}\n${text.slice(to)}`;
};
