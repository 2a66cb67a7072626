/** `empty`: all cells are empty. */
export const COLUMN_TYPES = ['integer', 'number', 'boolean', 'date', 'text', 'empty'] as const;

export type ColumnType = (typeof COLUMN_TYPES)[number];
export type CellType = Exclude<ColumnType, 'empty'>;

const INTEGER = /^[+-]?\d+$/;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const BOOLEAN = /^(?:true|false)$/i;
const DATE = /^(\d{4})([-/])(\d\d)\2(\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)(Z|[+-]\d\d:?\d\d)?)?$/i;

/** The type of a single cell that is not empty. Digits are an integer, also with leading zeros. */
export function cellType(cell: string): CellType {
  if (NUMBER.test(cell) && Number.isFinite(Number(cell))) return INTEGER.test(cell) ? 'integer' : 'number';
  if (BOOLEAN.test(cell)) return 'boolean';
  return timeOf(cell) === null ? 'text' : 'date';
}

/** The narrowest type of a column with one more cell. */
export function widened(column: ColumnType, cell: CellType): CellType {
  if (column === 'empty' || column === cell) return cell;
  return isNumeric(column) && isNumeric(cell) ? 'number' : 'text';
}

export function isNumeric(type: ColumnType): boolean {
  return type === 'integer' || type === 'number';
}

/**
 * A date or date and time of ISO 8601 (also with slashes) as a timestamp, in UTC when it has no offset; `null` for
 * other text.
 */
export function timeOf(cell: string): number | null {
  const [, year, , month, day, time = '00:00', offset = 'Z'] = DATE.exec(cell) ?? [];
  if (year === undefined) return null;
  const midnight = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (midnight.getUTCDate() !== Number(day)) return null; // such as February 30th
  const timestamp = Date.parse(`${year}-${month}-${day}T${time}${offset.toUpperCase()}`);
  return Number.isNaN(timestamp) ? null : timestamp;
}
