import type { CsvError } from 'csv-parse';
import { PermanentJobError } from 'nestjs-async-endpoints';

/**
 * Describes the error in a CSV, with the line in which the broken record begins.
 *
 * @param record the number of records before it, including the header
 */
export function brokenCsv(csv: string, error: CsvError, record: number): PermanentJobError {
  const line = lineOfRecord(csv, record);
  return new PermanentJobError(`The CSV is broken at line ${line}: ${reasonOf(error)}.`, {
    code: 'CSV_INVALID',
    details: { line, reason: error.code },
    cause: error,
  });
}

function reasonOf({ code, message }: CsvError): string {
  const [, expected, found] = /expect (\d+), got (\d+)/.exec(message) ?? [];
  switch (code) {
    case 'CSV_RECORD_INCONSISTENT_FIELDS_LENGTH':
      return `${expected} fields were expected, ${found} found`;
    case 'CSV_QUOTE_NOT_CLOSED':
      return 'a quote is opened and never closed';
    case 'CSV_INVALID_CLOSING_QUOTE':
    case 'CSV_NON_TRIMABLE_CHAR_AFTER_CLOSING_QUOTE':
      return 'there is something between a closing quote and the end of its field';
    case 'INVALID_OPENING_QUOTE':
      return 'there is a quote inside a field that does not begin with one';
    default:
      return message;
  }
}

/**
 * The line, from 1, in which a record, from 0, begins. The count of the parser cannot be used: for an open quote it is
 * the last line, and it counts CRLF within quotes twice.
 *
 * @param csv well-formed before that record, so that every quote opens or closes
 */
function lineOfRecord(csv: string, record: number): number {
  let line = 1;
  let before = 0;
  let isQuoted = false;
  let isBlank = true;
  for (const [token] of csv.matchAll(/\r\n|[\r\n"]|[^\s"\uFEFF]/g)) {
    if (token === '\r\n' || token === '\n' || token === '\r') {
      line++;
      if (isQuoted || isBlank) continue;
      before++;
      isBlank = true;
      continue;
    }
    if (isBlank && before === record) return line;
    isBlank = false;
    if (token === '"') isQuoted = !isQuoted;
  }
  return line;
}
