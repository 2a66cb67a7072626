import type { JobStore } from '../../store/job-store.js';
import { describeAttempts } from './attempts.js';
import { describeCancel } from './cancel.js';
import { describeClaim } from './claim.js';
import { describeLifetime } from './lifetime.js';
import { describeListing } from './listing.js';
import { describePause } from './pause.js';
import { describePayload } from './payload.js';
import { describePush } from './push.js';
import { describeQueueLimits } from './queue-limits.js';
import { describeRecover } from './recover.js';
import { describeRetention } from './retention.js';
import { describeSchedules } from './schedules.js';
import { describeSettle } from './settle.js';
import type { Subject } from './subject.js';
import { describeSubmit } from './submit.js';
import type { TestFramework } from './test-framework.js';
import { describeWorkers } from './workers.js';

/** A new, empty, open store, and the control of its clock. */
export interface StoreUnderTest {
  readonly store: JobStore;
  /** Moves the store's clock forward. */
  advance(ms: number): void | Promise<void>;
  /** Closes the store and deletes its data. */
  dispose(): Promise<void>;
}

/**
 * The contract of `JobStore` as a test suite: any store must pass it, whole; what concerns `schedules` and `payload`, if it has
 * them.
 *
 * @param create creates a store for each test
 * @param framework default: the global `describe`, `it`, `beforeEach` and `afterEach`
 * @example
 * describeJobStore('MyJobStore', async () => { … });
 */
export function describeJobStore(
  name: string,
  create: () => Promise<StoreUnderTest>,
  framework: TestFramework = globalThis as unknown as TestFramework,
): void {
  framework.describe(`${name} keeps the contract of a job store`, () => {
    const subject = {} as Subject;
    framework.beforeEach(async () => {
      Object.assign(subject, await create());
    });
    framework.afterEach(() => subject.dispose());
    for (const describeTopic of [
      describeLifetime,
      describeSubmit,
      describeQueueLimits,
      describeClaim,
      describeSettle,
      describeAttempts,
      describeCancel,
      describeRecover,
      describeRetention,
      describeListing,
      describePayload,
      describePause,
      describePush,
      describeWorkers,
      describeSchedules,
    ]) {
      describeTopic(subject, framework);
    }
  });
}
