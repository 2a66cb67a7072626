import { Controller, Get, Header } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { OpenTelemetry } from './open-telemetry.js';

@ApiExcludeController()
@Controller('metrics')
export class MetricsController {
  constructor(private readonly telemetry: OpenTelemetry) {}

  /** For Prometheus to scrape. */
  @Get()
  @Header('Content-Type', 'text/plain; version=0.0.4; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  metrics(): Promise<string> {
    return this.telemetry.metrics();
  }
}
