import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { defineJob } from 'nestjs-async-endpoints';

const MAXIMUM_FAILURES = 10;

export class UnreliableRequest {
  @ApiProperty({ type: 'integer', minimum: 0, maximum: MAXIMUM_FAILURES, example: 3 })
  @IsInt()
  @Min(0)
  @Max(MAXIMUM_FAILURES)
  failures!: number;
}

export class UnreliableResult {
  @ApiProperty({ type: 'integer', description: 'How many it took.' })
  readonly attempts!: number;
}

/** Retries soon, so that the demo is quick; the default delays are 4, 8 and 16 s. */
export const Unreliable = defineJob<UnreliableRequest, UnreliableResult>('Unreliable', {
  maxRetries: MAXIMUM_FAILURES,
  retryCurve: 'fixed',
  retryDelayBaseMs: 100,
});
