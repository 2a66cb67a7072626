import { createInterface } from 'node:readline';
import { UsageError } from './exit.js';

/**
 * Asks for confirmation at the terminal. Not needed with `--yes`, or for a single job.
 *
 * @throws UsageError when there is no terminal
 */
export async function confirm(question: string, jobs: number, yes: boolean): Promise<boolean> {
  if (yes || jobs <= 1) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new UsageError(`${question} Confirm with --yes.`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    lines.once('close', () => resolve('')).once('SIGINT', () => lines.close());
    lines.question(`${question} [y/N] `, resolve);
  });
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}
