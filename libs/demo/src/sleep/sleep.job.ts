import { ApiProperty } from '@nestjs/swagger';
import { IsInt, Max, Min } from 'class-validator';
import { defineJob } from 'nestjs-async-endpoints';

const LONGEST_MS = 600_000;

export class SleepRequest {
  @ApiProperty({ type: 'integer', minimum: 0, maximum: LONGEST_MS, example: 20_000 })
  @IsInt()
  @Min(0)
  @Max(LONGEST_MS)
  durationMs!: number;
}

export class Slept {
  @ApiProperty({ type: 'integer' })
  readonly durationMs!: number;
}

export const Sleep = defineJob<SleepRequest, Slept>('Sleep', {
  // The longest allowed sleep, plus a minute.
  timeoutMs: LONGEST_MS + 60_000,
  // Sleeping jobs leave slots of the worker for others.
  concurrency: 8,
});
