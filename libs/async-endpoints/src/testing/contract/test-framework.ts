/** The functions of a test framework that the suites need. Vitest, Jest, Mocha and node:test all have them. */
export interface TestFramework {
  describe(title: string, body: () => void): void;
  it(title: string, body: () => Promise<void>): void;
  beforeEach(body: () => Promise<void>): void;
  afterEach(body: () => Promise<void>): void;
}
