// A CommonJS application on Nest 11, as the decorators compile to: what a user of the packed package runs.
require('reflect-metadata');
const { Body, Controller, Module, Post } = require('@nestjs/common');
const { NestFactory } = require('@nestjs/core');
const { ApiProperty, ApiResponse, DocumentBuilder, SwaggerModule } = require('@nestjs/swagger');
const { AsyncEndpoint, AsyncEndpointsModule, AsyncHandler, defineJob } = require('nestjs-async-endpoints');
const { fromConfig } = require('nestjs-async-endpoints/config');
const { AsyncEndpointsHealthModule, JobStoreHealthIndicator } = require('nestjs-async-endpoints/health');
const { gate } = require('nestjs-async-endpoints/testing');

const Shout = defineJob('Shout');

class ShoutRequest {}
ApiProperty({ type: String })(ShoutRequest.prototype, 'text');

class Shouted {}
ApiProperty({ type: String })(Shouted.prototype, 'text');

class ShoutHandler {
  async handle(request, context) {
    await context.progress(0.5);
    return request.text.toUpperCase();
  }
}
AsyncHandler(Shout)(ShoutHandler);

class ShoutController {
  shout(request) {
    return request;
  }
}
Controller('api')(ShoutController);
Body()(ShoutController.prototype, 'shout', 0);
const method = Object.getOwnPropertyDescriptor(ShoutController.prototype, 'shout');
// What the CLI plugin of swagger adds, as the innermost decorator.
ApiResponse({ status: 201, type: ShoutRequest })(ShoutController.prototype, 'shout', method);
AsyncEndpoint(Shout, { resultType: Shouted })(ShoutController.prototype, 'shout', method);
Post('shout')(ShoutController.prototype, 'shout', method);
Object.defineProperty(ShoutController.prototype, 'shout', method);

class AppModule {}
Module({
  imports: [AsyncEndpointsModule.forRootAsync(fromConfig()), AsyncEndpointsHealthModule],
  controllers: [ShoutController],
  providers: [ShoutHandler],
})(AppModule);

async function main() {
  const stop = gate();
  process.once('SIGTERM', () => stop.open());
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, new DocumentBuilder().build()));
  await app.listen(0);
  const health = await app.get(JobStoreHealthIndicator).isHealthy();
  process.stdout.write(`${JSON.stringify({ url: await app.getUrl(), health })}\n`);
  await stop.opened;
  await app.close();
}

void main();
