/** What the suites need of a test framework: the names that vitest, jest, mocha and node:test share. */
export interface TestFramework {
  describe(title: string, body: () => void): void;
  it(title: string, body: () => Promise<void>): void;
  beforeEach(body: () => Promise<void>): void;
  afterEach(body: () => Promise<void>): void;
}
