import { Body, Controller, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { Sleep, SleepRequest, Slept } from './sleep.job.js';

@Controller('api/demo/sleep')
export class SleepController {
  @Post()
  @ApiOperation({ summary: 'Sleep' })
  @AsyncEndpoint(Sleep, { resultType: Slept })
  sleep(@Body() request: SleepRequest): SleepRequest {
    return request;
  }
}
