import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsNotEmpty, IsString, Max, Min } from 'class-validator';
import { defineJob } from 'nestjs-async-endpoints';

export class ProcessDataRequest {
  @ApiProperty({ minLength: 1, description: 'What is to be processed.', example: 'text' })
  @IsString()
  @IsNotEmpty()
  data!: string;

  /** From 1 (not urgent) to 5 (urgent). Part of the payload only; it does not change the order of jobs. */
  @ApiProperty({
    required: false,
    type: 'integer',
    minimum: 1,
    maximum: 5,
    description: 'From 1, whenever, to 5, urgent; 3 if not given.',
  })
  @IsInt()
  @Min(1)
  @Max(5)
  processingPriority: number = 3;
}

export class ProcessedData {
  @ApiProperty({ example: 'Processed: TEXT' })
  readonly processedData!: string;

  @ApiProperty({ format: 'date-time' })
  readonly processedAt!: string;

  @ApiProperty({ type: 'integer', description: 'Of the data as it came. An emoji is one.' })
  readonly characterCount!: number;
}

export const ProcessData = defineJob<ProcessDataRequest, ProcessedData>('ProcessData');
