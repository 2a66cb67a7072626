/** Mean and standard deviation in one pass by Welford's method, which stays exact where a sum of squares does not. */
export class RunningStatistics {
  #count = 0;
  #mean = 0;
  /** Sum of the squared distances from the mean. */
  #squares = 0;

  add(value: number): void {
    this.#count++;
    const distance = value - this.#mean;
    this.#mean += distance / this.#count;
    this.#squares += distance * (value - this.#mean);
  }

  get mean(): number | null {
    return this.#count > 0 ? this.#mean : null;
  }

  /** Of a sample: divided by n − 1. */
  get standardDeviation(): number | null {
    return this.#count > 1 ? Math.sqrt(this.#squares / (this.#count - 1)) : null;
  }
}
