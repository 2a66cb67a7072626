import { cellType, type ColumnType, isNumeric, timeOf, widened } from './cell-type.js';
import { Extremes } from './extremes.js';
import { RunningStatistics } from './running-statistics.js';
import type { ColumnSummary } from './summarize-csv.job.js';

const LONGEST_TEXT = 200;

/**
 * Reads the cells of a column one after the other, and keeps the data for its summary, including the distinct values.
 */
export class Column {
  #type: ColumnType = 'empty';
  #count = 0;
  #missing = 0;
  readonly #values = new Set<string>();
  readonly #statistics = new RunningStatistics();
  readonly #numbers = new Extremes<number, number>();
  readonly #dates = new Extremes<number, string>();
  /** Kept for every column, because any column may turn out to be text. */
  readonly #texts = new Extremes<string, string>();

  constructor(private readonly name: string) {}

  add(cell: string): void {
    if (cell === '') {
      this.#missing++;
      return;
    }
    this.#count++;
    this.#values.add(cell);
    this.#texts.add(cell, cell);
    if (this.#type === 'text') return;
    this.#type = widened(this.#type, cellType(cell));
    if (isNumeric(this.#type)) this.#addNumber(Number(cell));
    else if (this.#type === 'date') this.#dates.add(timeOf(cell) as number, cell);
  }

  summary(): ColumnSummary {
    const numeric = isNumeric(this.#type);
    return {
      name: this.name,
      type: this.#type,
      count: this.#count,
      missing: this.#missing,
      distinct: this.#values.size,
      ...this.#range(),
      mean: numeric ? this.#statistics.mean : null,
      standardDeviation: numeric ? this.#statistics.standardDeviation : null,
    };
  }

  #addNumber(value: number): void {
    this.#statistics.add(value);
    this.#numbers.add(value, value);
  }

  #range(): Pick<ColumnSummary, 'min' | 'max'> {
    switch (this.#type) {
      case 'integer':
      case 'number':
        return { min: this.#numbers.min, max: this.#numbers.max };
      case 'date':
        return { min: this.#dates.min, max: this.#dates.max };
      case 'text':
        return { min: cut(this.#texts.min), max: cut(this.#texts.max) };
      default:
        return { min: null, max: null };
    }
  }
}

function cut(text: string | null): string | null {
  return text === null || text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1)}…`;
}
