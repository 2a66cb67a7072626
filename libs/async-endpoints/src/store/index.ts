/* `nestjs-async-endpoints/store`: what only the author of a store needs. See docs/own-store.md. */

// The contract: its verbs, and what they take and return.
export { JobStore } from './job-store.js';
export type * from './verbs.js';
export type { OperatorAction } from '../events/channels.js';
export type { Claim, JobRecord, NewJob, StoredPayload, TraceContext } from '../job/job.js';

// Pure functions of the job, the command and the time: what a verb does with a job, and the next record that the lifecycle makes.
export * as decide from '../job/decide.js';
export * as lifecycle from '../job/lifecycle.js';
export { LIFECYCLE, type Outcome, type Settlement, type Verb } from '../job/lifecycle.js';
export { isTerminal, isWaiting } from '../job/job.js';
export { checkJobIds } from '../job/job-id.js';

// Parts that every store needs and that do not depend on where jobs are kept.
export { decodeCursor, encodeCursor, matches } from './listing.js';
export { agingOf, type PriorityAging, Turns } from './fairness.js';
export { Lifetime, notOpen } from './lifetime.js';
export { Subscribers, Waiters } from './subscriptions.js';
export type { Fired, Firing, NewSchedule, NextSchedules, ScheduleRecord, ScheduleStore } from './schedules.js';
export { SCHEDULE_CHANGED, SCHEDULE_CHANGES } from './schedules.js';
export { Sweeps } from './sweeps.js';
export type { Execute, Transaction } from './transaction.js';
export { unavailable } from './unavailable.js';
export { pausedAndEmpty } from './queue-stats.js';
