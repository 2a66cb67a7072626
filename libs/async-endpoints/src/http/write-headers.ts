import type { AbstractHttpAdapter } from '@nestjs/core';

/** Sets headers, but adds to `Vary`: others, such as CORS, have their own part in it. */
export function writeHeaders(
  adapter: AbstractHttpAdapter,
  response: unknown,
  headers: Readonly<Record<string, string>>,
): void {
  for (const name in headers) {
    const value = headers[name] as string;
    adapter.setHeader(response, name, isVary(name) ? withOthers(adapter.getHeader(response, name), value) : value);
  }
}

function isVary(name: string): boolean {
  return name.length === 4 && name.toLowerCase() === 'vary';
}

function withOthers(others: string | string[] | undefined, value: string): string {
  return [others ?? [], value].flat().join(', ');
}
