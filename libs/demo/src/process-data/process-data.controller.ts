import { Body, Controller, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { ProcessData, ProcessDataRequest, ProcessedData } from './process-data.job.js';

@Controller('api/process-data')
export class ProcessDataController {
  @Post()
  @ApiOperation({ summary: 'Process text' })
  @AsyncEndpoint(ProcessData, { resultType: ProcessedData })
  processData(@Body() request: ProcessDataRequest): ProcessDataRequest {
    return request;
  }
}
