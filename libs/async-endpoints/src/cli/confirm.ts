import { createInterface } from 'node:readline';
import { UsageError } from './exit.js';

/**
 * Whether somebody at the terminal says yes. `--yes` has said so before; one job is what was asked for.
 *
 * @throws UsageError where there is nobody to ask
 */
export async function confirm(question: string, jobs: number, yes: boolean): Promise<boolean> {
  if (yes || jobs <= 1) return true;
  if (!process.stdin.isTTY || !process.stderr.isTTY) throw new UsageError(`${question} Say so with --yes.`);
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await new Promise<string>((resolve) => {
    lines.once('close', () => resolve('')).once('SIGINT', () => lines.close());
    lines.question(`${question} [y/N] `, resolve);
  });
  lines.close();
  return /^y(es)?$/i.test(answer.trim());
}
