import { Module } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { AppController } from './app.controller';
import { AppService } from './app.service';
import { ProcessDataController, ProcessDataHandler } from './process-data';

@Module({
  imports: [AsyncEndpointsModule.forRoot({ store: new RedisJobStore({ url: process.env.REDIS_URL }) })],
  controllers: [AppController, ProcessDataController],
  providers: [AppService, ProcessDataHandler],
})
export class AppModule {}
