import { Global, Injectable, type INestApplicationContext, Module, type OnModuleDestroy } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import {
  AsyncEndpointsModule,
  type AsyncEndpointsOptions,
  AsyncHandler,
  defineJob,
  type JobHandler,
  JobManager,
} from 'nestjs-async-endpoints';
import { type Gate, gate } from 'nestjs-async-endpoints/testing';

const Query = defineJob<void, void>('Query');

/** Closes as the recipes for Prisma and TypeORM do. */
@Injectable()
export class Database implements OnModuleDestroy {
  isOpen = true;

  onModuleDestroy(): void {
    this.isOpen = false;
  }
}

@Injectable()
export class GlobalDatabase extends Database {}

/** A provider of the root module, which Nest destroys before all others. */
@Injectable()
export class OwnDatabase extends Database {}

@Module({ providers: [Database], exports: [Database] })
class DatabaseModule {}

@Global()
@Module({ providers: [GlobalDatabase], exports: [GlobalDatabase] })
class GlobalDatabaseModule {}

@AsyncHandler(Query)
export class QueryHandler implements JobHandler<typeof Query> {
  readonly begun = gate<void>();
  readonly leave = gate<unknown>();
  sawOpen: boolean | undefined;

  constructor(
    private readonly database: Database,
    private readonly globalDatabase: GlobalDatabase,
    private readonly own: OwnDatabase,
  ) {}

  async handle(): Promise<void> {
    this.begun.open();
    await this.leave.opened;
    this.sawOpen = this.database.isOpen && this.globalDatabase.isOpen && this.own.isOpen;
    if (!this.sawOpen) throw new Error('The database is closed');
  }
}

/** An application whose handler needs databases of an imported, a global and its own module; the job is running. */
export async function startWithDatabase(options: AsyncEndpointsOptions): Promise<{
  app: INestApplicationContext;
  jobs: JobManager;
  id: string;
  database: Database;
  handler: QueryHandler;
  leave: Gate<unknown>;
}> {
  @Module({
    imports: [GlobalDatabaseModule, AsyncEndpointsModule.forRoot(options), DatabaseModule],
    providers: [QueryHandler, OwnDatabase],
  })
  class AppModule {}
  const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
  const jobs = app.get(JobManager);
  const handler = app.get(QueryHandler);
  const { id } = await jobs.submit(Query, undefined);
  await handler.begun.opened;
  return { app, jobs, id, database: app.get(Database, { strict: false }), handler, leave: handler.leave };
}
