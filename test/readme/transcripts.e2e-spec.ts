import { readFile } from 'node:fs/promises';
import { hasCurl, shell } from '../demo/shell.js';
import { startDemo } from '../demo/running-demo.js';
import { stepsOf, Transcript } from './transcript.js';

/** The documents with commands. In each, the `curl` lines in code blocks are as many as the test runs. */
const DOCUMENTS = ['README.md', 'docs/http.md'];
const CODE_BLOCK = /^```[\s\S]*?^```/gm;

const read = (path: string) => readFile(new URL(`../../${path}`, import.meta.url), 'utf8');

describe.each(DOCUMENTS)('The commands of %s', (document) => {
  it('are all compared', async () => {
    const markdown = await read(document);
    const curls = (markdown.match(CODE_BLOCK) ?? []).flatMap((block) => block.match(/^(?:\$ )?curl /gm) ?? []);
    expect(stepsOf(markdown)).toHaveLength(curls.length);
    expect(curls.length).toBeGreaterThan(1);
  });

  it('print the exact output on the page when they run against the demo', async (test) => {
    if (!(await hasCurl())) test.skip('there is no curl here');
    const { app, client } = await startDemo();
    onTestFinished(() => app.close());
    const transcript = new Transcript();
    for (const step of stepsOf(await read(document))) {
      const command = transcript.commandOf(step).replace('localhost:3000', new URL(client.url).host);
      const actual = await shell(command);
      // Where it is, too, so that the difference is seen with its place.
      const where = `${document}:${step.line} ${command}`;
      const written = transcript.isWritten(step, actual) ? step.expected : actual;
      expect({ where, written }).toEqual({ where, written: step.expected });
    }
  });
});
