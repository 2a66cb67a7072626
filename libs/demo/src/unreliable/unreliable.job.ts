import { IsInt, Max, Min } from 'class-validator';
import { defineJob } from 'nestjs-async-endpoints';

const MAXIMUM_FAILURES = 10;

export class UnreliableRequest {
  @IsInt()
  @Min(0)
  @Max(MAXIMUM_FAILURES)
  failures!: number;
}

export interface UnreliableResult {
  readonly attempts: number;
}

/** Retries often and at once, so that it is fun to watch: 4, 8, 16 s would be the default. */
export const Unreliable = defineJob<UnreliableRequest, UnreliableResult>('Unreliable', {
  maxRetries: MAXIMUM_FAILURES,
  retryCurve: 'fixed',
  retryDelayBaseSeconds: 0.1,
});
