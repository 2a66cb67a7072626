import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger';

/** The OpenAPI document of the application at `/docs-json` and `/docs-yaml`, and a page to read and try it at `/docs`. */
export function serveDocuments(app: NestFastifyApplication): void {
  const about = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('The Async Endpoints demo')
    .setDescription('Asynchronous HTTP endpoints: each answers 202 with a job, which the routes of `Jobs` follow.')
    .setVersion('1.0')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addTag('ProcessData', 'Text, processed.')
    .addTag('CsvSummaries', 'CSV, summarized.')
    .addTag('Sleep', 'A job that takes as long as you like.')
    .addTag('Unreliable', 'A job that fails as often as you like.')
    .addTag('Jobs', 'Every job, whatever its kind.')
    .addSecurityRequirements({})
    .build();
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, about), {
    customSiteTitle: 'Async Endpoints demo',
    swaggerOptions: { displayRequestDuration: true },
  });
}
