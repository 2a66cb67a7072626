import { Module } from '@nestjs/common';
import { AsyncEndpointsHealthModule } from 'nestjs-async-endpoints/health';
import { HealthController } from './health.controller.js';

@Module({ imports: [AsyncEndpointsHealthModule], controllers: [HealthController] })
export class HealthModule {}
