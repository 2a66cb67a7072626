import { TextDecoder } from 'node:util';
import { BadRequestException, UnsupportedMediaTypeException } from '@nestjs/common';

type Done = (error: Error | null, body?: string) => void;

/**
 * The body as text, in the charset that its content type names, or else UTF-8.
 *
 * Answers 400 when the bytes are invalid in that charset, and 415 for an unknown charset: replacement characters would
 * make the summary wrong.
 */
export function readCsvBody(request: { headers: { 'content-type'?: string } }, body: Buffer, done: Done): void {
  const charset = /;\s*charset="?([^\s";]+)/i.exec(request.headers['content-type'] ?? '')?.[1] ?? 'utf-8';
  const decoder = decoderOf(charset);
  if (!decoder) return done(new UnsupportedMediaTypeException(`There is no charset "${charset}".`));
  let csv: string;
  try {
    csv = decoder.decode(body);
  } catch {
    return done(new BadRequestException(`The body is not text in ${charset}.`));
  }
  done(null, csv);
}

function decoderOf(charset: string): TextDecoder | null {
  try {
    return new TextDecoder(charset, { fatal: true });
  } catch {
    return null;
  }
}
