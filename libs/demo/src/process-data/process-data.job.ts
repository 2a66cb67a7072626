import { IsInt, IsNotEmpty, IsString, Max, Min } from 'class-validator';
import { defineJob } from 'nestjs-async-endpoints';

export class ProcessDataRequest {
  @IsString()
  @IsNotEmpty()
  data!: string;

  /** From 1 (whenever) to 5 (urgent). Travels with the request; which job runs first is the job definition's affair. */
  @IsInt()
  @Min(1)
  @Max(5)
  processingPriority: number = 3;
}

export interface ProcessedData {
  readonly processedData: string;
  /** ISO 8601. */
  readonly processedAt: string;
  /** Of the data as it came: characters, not UTF-16 units, so an emoji is one. */
  readonly characterCount: number;
}

export const ProcessData = defineJob<ProcessDataRequest, ProcessedData>('ProcessData');
