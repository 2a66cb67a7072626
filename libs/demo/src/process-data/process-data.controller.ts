import { Body, Controller, Post } from '@nestjs/common';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { ProcessData, ProcessDataRequest } from './process-data.job.js';

@Controller('api/process-data')
export class ProcessDataController {
  @Post()
  @AsyncEndpoint(ProcessData)
  processData(@Body() request: ProcessDataRequest): ProcessDataRequest {
    return request;
  }
}
