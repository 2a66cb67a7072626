import { Body, Controller, Post } from '@nestjs/common';
import { ApiOperation } from '@nestjs/swagger';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { Unreliable, UnreliableRequest, UnreliableResult } from './unreliable.job.js';

@Controller('api/demo/unreliable')
export class UnreliableController {
  @Post()
  @ApiOperation({ summary: 'Fail a few times, then succeed' })
  @AsyncEndpoint(Unreliable, { resultType: UnreliableResult })
  unreliable(@Body() request: UnreliableRequest): UnreliableRequest {
    return request;
  }
}
