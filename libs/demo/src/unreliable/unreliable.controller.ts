import { Body, Controller, Post } from '@nestjs/common';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { Unreliable, UnreliableRequest } from './unreliable.job.js';

@Controller('api/demo/unreliable')
export class UnreliableController {
  @Post()
  @AsyncEndpoint(Unreliable)
  unreliable(@Body() request: UnreliableRequest): UnreliableRequest {
    return request;
  }
}
