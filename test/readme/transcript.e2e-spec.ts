import { stepsOf, Transcript } from './transcript.js';

const A = '5b7e0e4a-8f8b-4c8a-9f1f-8d8f8e8f8e8f';
const B = '8f14e45f-ceea-467f-a9d4-1d1c0f3e5b6a';
const DOCUMENT = [
  '# Try it',
  '',
  '```console',
  '$ submit',
  `202 ${A}`,
  '$ ask \\',
  `  ${A}`,
  'etag: "x"',
  '…',
  'end',
  '```',
];
const [submit, ask] = stepsOf(DOCUMENT.join('\n') + '\n');

describe('A transcript', () => {
  it('contains the commands of console blocks with their output', () => {
    expect(submit).toEqual({ line: 4, command: 'submit', expected: `202 ${A}` });
    expect(ask).toEqual({ line: 6, command: `ask \\\n  ${A}`, expected: 'etag: "x"\n…\nend' });
  });

  it('reads the ids of the run, and compares them', () => {
    const transcript = new Transcript();
    expect(transcript.isWritten(submit!, `202 ${B}\r\n`)).toBe(true);
    expect(transcript.commandOf(ask!)).toBe(`ask \\\n  ${B}`);
    expect(transcript.isWritten(submit!, `202 ${A}`)).toBe(false);
  });

  it.each([
    ['etag: "x"\nend', true],
    ['etag: "x"\none\ntwo\nend', true],
    ['etag: "y"\nend', false],
    ['etag: "x"\nend\nmore', false],
  ])('compares %j: %s', (actual, is) => {
    expect(new Transcript().isWritten(ask!, actual)).toBe(is);
  });
});
