import * as fc from 'fast-check';
import { EventParser, type ServerSentEvent } from './event-parser.js';

function parse(...chunks: string[]): ServerSentEvent[] {
  const parser = new EventParser();
  return chunks.flatMap((chunk) => parser.push(chunk));
}

const event = (data: string, id = '', name = 'message'): ServerSentEvent => ({ event: name, data, id });

describe('A stream of server-sent events', () => {
  it.each([
    ['an event with all fields', 'event: status\nid: 7\ndata: {}\n\n', [event('{}', '7', 'status')]],
    ['data of several lines', 'data: a\ndata\ndata:  b\n\n', [event('a\n\n b')]],
    ['a value without a space before it', 'data:a:b\n\n', [event('a:b')]],
    ['comments and unknown fields', ': alive\n\nfoo: bar\ndata: a\n:\n\n', [event('a')]],
    [
      'an id that stays, and one that goes',
      'id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n',
      ['1', '1', ''].map((id, at) => event('abc'[at] as string, id)),
    ],
    ['an id without data', 'id: 3\n\ndata: a\n\n', [event('a', '3')]],
    ['an id with a NUL', 'id: 1\nid: 2\0\ndata: a\n\n', [event('a', '1')]],
    ['a name without data, which is forgotten', 'event: status\n\ndata: a\n\n', [event('a')]],
    ['an event that the stream ends in', 'data: a\n\ndata: b\n', [event('a')]],
    ['nothing', '', []],
  ])('with %s', (_, text, events) => {
    expect(parse(text)).toEqual(events);
    for (const end of ['\r\n', '\r']) expect(parse(text.replaceAll('\n', end))).toEqual(events);
  });

  it('has a reconnect time', () => {
    const parser = new EventParser();
    parser.push('retry: soon\nretry: 1500\nretry: -1\n');
    expect(parser.retryMs).toBe(1_500);
  });

  it('is parsed the same for any chunks and any line ends', () => {
    const line = fc.oneof(
      fc.constantFrom(
        '',
        '',
        'data: a',
        'data',
        'data:  b',
        'event: status',
        'id: 7',
        'id',
        ': alive',
        'retry: 5',
        'x',
      ),
      fc.string().map((text) => `data: ${text.replaceAll(/[\r\n]/g, ' ')}`),
    );
    const ends = fc.constantFrom('\n', '\r\n', '\r');
    fc.assert(
      fc.property(fc.array(line), ends, fc.array(fc.nat()), (lines, end, cuts) => {
        const text = lines.map((part) => part + end).join('');
        const at = [0, ...cuts.map((cut) => cut % (text.length + 1)).toSorted((a, b) => a - b), text.length];
        const chunks = at.slice(1).map((to, index) => text.slice(at[index], to));
        expect(parse(...chunks)).toEqual(parse(...lines.map((part) => `${part}\n`)));
        expect(parse(...text.split(''))).toEqual(parse(text));
      }),
    );
  });
});
