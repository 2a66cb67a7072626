import { Injectable } from '@nestjs/common';

/** As a table of the application would keep them: how many pages a job has done, written by its latest claim alone. */
@Injectable()
export class Checkpoints {
  readonly #rows = new Map<string, { pages: number; fence: number }>();
  /** Each page that was done, in order. */
  readonly written: number[] = [];

  async read(job: string): Promise<number> {
    return this.#rows.get(job)?.pages ?? 0;
  }

  async write(job: string, pages: number, fence: number): Promise<void> {
    if (fence < (this.#rows.get(job)?.fence ?? 0)) throw new Error('A later claim has written');
    this.#rows.set(job, { pages, fence });
    this.written.push(pages);
  }
}
