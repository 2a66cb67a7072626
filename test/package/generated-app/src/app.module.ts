import { Module } from '@nestjs/common';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { AppController } from './app.controller';
import { AppService } from './app.service';
import { ProcessDataController, ProcessDataHandler } from './process-data';

@Module({
  imports: [AsyncEndpointsModule.forRoot()],
  controllers: [AppController, ProcessDataController],
  providers: [AppService, ProcessDataHandler],
})
export class AppModule {}
