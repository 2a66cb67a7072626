import { PermanentJobError } from 'nestjs-async-endpoints';
import type { CsvSummary } from './summarize-csv.job.js';
import { summarizeCsv } from './summarize-csv.js';

function summaryOf(csv: string): Promise<CsvSummary> {
  return summarizeCsv(csv, { signal: new AbortController().signal, onProgress: () => {} });
}

async function failureOf(csv: string): Promise<PermanentJobError> {
  const error = await summaryOf(csv).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(PermanentJobError);
  return error as PermanentJobError;
}

describe('The summary of a CSV', () => {
  it('describes every column', async () => {
    const csv = [
      'id,price,sold,on,note,nothing',
      '1,2.5,true,2024-01-31,b,',
      '2,,false,2023-12-31T23:30:00-01:00,a,',
      '4,1e1,TRUE,2024-01-01,b,',
    ].join('\n');
    const none = { min: null, max: null, mean: null, standardDeviation: null };
    expect(await summaryOf(csv)).toEqual({
      rowCount: 3,
      columns: [
        {
          name: 'id',
          type: 'integer',
          count: 3,
          missing: 0,
          distinct: 3,
          min: 1,
          max: 4,
          mean: expect.closeTo(7 / 3, 12) as number,
          standardDeviation: expect.closeTo(Math.sqrt(7 / 3), 12) as number,
        },
        {
          name: 'price',
          type: 'number',
          count: 2,
          missing: 1,
          distinct: 2,
          min: 2.5,
          max: 10,
          mean: 6.25,
          standardDeviation: expect.closeTo(Math.sqrt(28.125), 12) as number,
        },
        { name: 'sold', type: 'boolean', count: 3, missing: 0, distinct: 3, ...none },
        // The second is half past midnight on the first of January in UTC, so not the earliest.
        { ...none, name: 'on', type: 'date', count: 3, missing: 0, distinct: 3, min: '2024-01-01', max: '2024-01-31' },
        { ...none, name: 'note', type: 'text', count: 3, missing: 0, distinct: 2, min: 'a', max: 'b' },
        { ...none, name: 'nothing', type: 'empty', count: 0, missing: 3, distinct: 0 },
      ],
    });
  });

  it('keeps commas, quotes, line breaks and spaces in quoted fields', async () => {
    const { rowCount, columns } = await summaryOf('name,"the ""text"""\r\nx,"one, two\r\nthree"\r\n y ,"  "\r\n');
    expect(rowCount).toBe(2);
    expect(columns).toMatchObject([
      { name: 'name', min: 'x', max: 'y' },
      { name: 'the "text"', count: 2, min: '  ', max: 'one, two\r\nthree' },
    ]);
  });

  it.each([
    ['CRLF', 'a,b\r\n1,2\r\n3,4\r\n'],
    ['LF', 'a,b\n1,2\n3,4\n'],
    ['CR', 'a,b\r1,2\r3,4'],
    ['a mixture of line ends', 'a,b\r\n1,2\n3,4\r\n'],
    ['a byte order mark', '\uFEFFa,b\n1,2\n3,4'],
    ['a byte order mark before a quote', '\uFEFF"a",b\n1,2\n3,4'],
    ['blank lines', '\n\na,b\n\n1,2\n  \n3,4\n\n'],
  ])('is the same with %s', async (_with, csv) => {
    expect(await summaryOf(csv)).toMatchObject({
      rowCount: 2,
      columns: [
        { name: 'a', type: 'integer', min: 1, max: 3, mean: 2 },
        { name: 'b', type: 'integer', min: 2, max: 4, mean: 3 },
      ],
    });
  });

  it('of a header alone has no rows', async () => {
    expect(await summaryOf('a,b')).toMatchObject({
      rowCount: 0,
      columns: [
        { name: 'a', type: 'empty', count: 0, missing: 0, distinct: 0 },
        { name: 'b', type: 'empty' },
      ],
    });
  });

  it('drops the numbers of a column that turns out to be text', async () => {
    const { columns } = await summaryOf('a\n10\n9\nlow');
    expect(columns).toMatchObject([{ type: 'text', min: '10', max: 'low', mean: null, standardDeviation: null }]);
  });

  it('keeps columns with the same name apart', async () => {
    const { columns } = await summaryOf('a,a,__proto__\n1,x,2');
    expect(columns.map(({ name, type }) => [name, type])).toEqual([
      ['a', 'integer'],
      ['a', 'text'],
      ['__proto__', 'integer'],
    ]);
  });

  it('shortens a long text', async () => {
    const { columns } = await summaryOf(`a\n${'x'.repeat(100_000)}`);
    expect(columns[0]?.min).toBe(`${'x'.repeat(199)}…`);
  });

  it('does not break characters at the border of two chunks', async () => {
    const rows = Array.from({ length: 20_000 }, (_, index) => `${'ü€😀'.repeat(index % 3)}${index}`);
    const { columns } = await summaryOf(`a\n${rows.join('\n')}`);
    expect(columns).toMatchObject([{ count: rows.length, distinct: rows.length, max: rows.toSorted().at(-1) }]);
  });
});

describe('A CSV that is broken', () => {
  it.each([
    [
      'a row too short',
      'a,b\n1,2\n3\n4,5',
      3,
      'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH',
      '2 fields were expected, 1 found',
    ],
    ['a row too long', 'a,b\r\n1,2,3', 2, 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH', '2 fields were expected, 3 found'],
    [
      'a row too short after line breaks within quotes and blank lines',
      '\uFEFFa,b\r\n"x\r\n""y""\r\nz",2\r\n\r\n3\r\n4,5',
      6,
      'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH',
      '2 fields were expected, 1 found',
    ],
    [
      'a quote never closed',
      'a,b\n1,2\n3,"4\n5,6\n7,8\n',
      3,
      'CSV_QUOTE_NOT_CLOSED',
      'a quote is opened and never closed',
    ],
    ['an open quote in its header', '"a,b\n1,2', 1, 'CSV_QUOTE_NOT_CLOSED', 'a quote is opened and never closed'],
    ['something behind a closing quote', 'a\n"1"x\n2', 2, 'CSV_INVALID_CLOSING_QUOTE', 'closing quote'],
    [
      'something behind a closing quote and a space',
      'a\n"1" x',
      2,
      'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE',
      'closing quote',
    ],
    ['a quote in a bare field', 'a\n1\nx"y\n2', 3, 'INVALID_OPENING_QUOTE', 'there is a quote inside a field'],
  ])('by %s is reported with its line', async (_by, csv, line, reason, message) => {
    const error = await failureOf(csv);
    expect(error).toMatchObject({ code: 'CSV_INVALID', details: { line, reason } });
    expect(error.message).toContain(`at line ${line}: `);
    expect(error.message).toContain(message);
  });

  it.each([
    ['nothing at all', ''],
    ['a byte order mark', '\uFEFF'],
    ['blank lines', ' \r\n\n'],
  ])('because of %s is reported', async (_what, csv) => {
    expect(await failureOf(csv)).toMatchObject({ code: 'CSV_EMPTY', message: /empty/ });
  });
});

describe('A long CSV', () => {
  const csv = `n\n${Array.from({ length: 200_000 }, (_, index) => index).join('\n')}\n`;

  it('reports progress as its bytes are read, up to the end', async () => {
    const reports: [number, number][] = [];
    const signal = new AbortController().signal;
    await summarizeCsv(csv, { signal, onProgress: (...report) => reports.push(report) });
    expect(reports.length).toBeGreaterThan(10);
    expect(reports).toEqual(reports.toSorted(([a], [b]) => a - b));
    expect(reports.map(([, rows]) => rows)).toEqual(reports.map(([, rows]) => rows).toSorted((a, b) => a - b));
    expect(reports.at(-1)).toEqual([1, expect.any(Number)]);
  });

  it('does not block the event loop', async () => {
    let turns = 0;
    let chunks = 0;
    const turn = (): void => void (turns++, (next = setImmediate(turn)));
    let next = setImmediate(turn);
    await summarizeCsv(csv, { signal: new AbortController().signal, onProgress: () => chunks++ });
    clearImmediate(next);
    expect(turns).toBeGreaterThanOrEqual(chunks - 1);
  });

  it('stops when the signal is aborted', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    const fractions: number[] = [];
    const summary = summarizeCsv(csv, {
      signal: controller.signal,
      onProgress: (fraction) => {
        fractions.push(fraction);
        if (fraction > 0.5) controller.abort(reason);
      },
    });
    await expect(summary).rejects.toBe(reason);
    expect(fractions.filter((fraction) => fraction > 0.5)).toHaveLength(1);
  });

  it('does not start when the signal is already aborted', async () => {
    const reason = new Error('too late');
    const summary = summarizeCsv(csv, { signal: AbortSignal.abort(reason), onProgress: () => expect.unreachable() });
    await expect(summary).rejects.toBe(reason);
  });
});
