import { Body, Controller, Post } from '@nestjs/common';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { Sleep, SleepRequest } from './sleep.job.js';

@Controller('api/demo/sleep')
export class SleepController {
  @Post()
  @AsyncEndpoint(Sleep)
  sleep(@Body() request: SleepRequest): SleepRequest {
    return request;
  }
}
