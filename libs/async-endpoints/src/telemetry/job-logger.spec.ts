import { JobLogger } from './job-logger.js';

/** Every way in which a message, an error or a stack gets into the text. */
class ReadableLogger extends JobLogger {
  textOf(message: unknown): string {
    return this.stringifyMessage(message, 'log');
  }
}

const HOSTILE = 'a\u001b[2Jb\u202ec\u009bd';
const SHOWN = 'a\\u001b[2Jb\\u202ec\\u009bd';

describe('JobLogger with text output', () => {
  const logger = new ReadableLogger({ json: false, colors: false });

  it('writes no escape sequence of a message', () => {
    expect(logger.textOf(HOSTILE)).toBe(SHOWN);
  });

  it('writes neither escape sequences nor properties of an error and its causes', () => {
    const error = Object.assign(new Error(HOSTILE, { cause: new Error(HOSTILE) }), { command: { args: ['secret'] } });
    expect(logger.textOf(error)).toMatch(/^Error: a\\u001b\[2Jb[^]*\[cause\]: Error: a\\u001b\[2Jb/);
    expect(logger.textOf(error)).not.toMatch(/\p{Cf}|(?!\n)\p{Cc}|secret/u);
  });

  it('writes no escape sequence of a stack', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    logger.error('message', `${HOSTILE}\n    at file.js:1:2`, 'Context');
    const written = write.mock.calls.join('');
    write.mockRestore();
    expect(written).toContain(SHOWN);
    expect(written).not.toMatch(/\p{Cf}|(?!\n)\p{Cc}/u);
  });
});
