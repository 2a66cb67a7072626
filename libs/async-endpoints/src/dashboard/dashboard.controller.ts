import {
  applyDecorators,
  BadRequestException,
  Body,
  type CanActivate,
  Controller,
  ForbiddenException,
  Get,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Post,
  Query,
  Req,
  Res,
  type Type,
  UseGuards,
  UseInterceptors,
  VERSION_NEUTRAL,
} from '@nestjs/common';
import { keepReplies } from '../nest/internals.js';
import { actorOf, DashboardGuard, visitorOf } from './access.js';
import { PAGE_HEADERS, pageAt, readAsset } from './assets.js';
import { encodeExact } from './exact-json.js';
import { DashboardFeed } from './feed.js';
import { HttpErrors } from './http-errors.js';
import { JobActions, parseAction } from './job-actions.js';
import { JobsView } from './jobs-view.js';
import { type StreamReply, sendMessages } from './messages.js';
import { isOfSchedules, SchedulesView } from './schedules-view.js';

const DATA_HEADERS = {
  'content-type': 'application/json; charset=utf-8',
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
};

/** What Express and Fastify have in common. */
interface Reply {
  header(name: string, value: string): unknown;
  send(body: unknown): unknown;
}

interface Request {
  url: string;
  originalUrl?: string;
}

/** The queues, workers and schedules concern the jobs of all owners. */
class WholeView implements CanActivate {
  canActivate(context: Parameters<CanActivate['canActivate']>[0]): boolean {
    if (visitorOf(context.switchToHttp().getRequest<object>()).owner === null) return true;
    throw new ForbiddenException('The overview shows the jobs of all owners.');
  }
}

class DashboardController {
  constructor(
    @Inject(DashboardFeed) private readonly feed: DashboardFeed,
    @Inject(JobsView) private readonly jobs: JobsView,
    @Inject(JobActions) private readonly actions: JobActions,
    @Inject(SchedulesView) private readonly schedules: SchedulesView,
  ) {}

  @Get()
  page(@Req() request: Request, @Res() reply: Reply) {
    answer(reply, pageAt(request.originalUrl ?? request.url), PAGE_HEADERS);
  }

  @Get('assets/:file')
  async asset(@Param('file') file: string, @Res() reply: Reply) {
    const asset = await readAsset(file);
    if (!asset) throw new NotFoundException();
    answer(reply, asset.body, { ...PAGE_HEADERS, 'content-type': asset.type, 'cache-control': 'no-cache' });
  }

  @Get('api/visitor')
  visitor(@Req() request: Request, @Res() reply: Reply) {
    answer(reply, visitorOf(request));
  }

  @Get('api/stream')
  @UseGuards(WholeView)
  stream(@Res() reply: StreamReply) {
    sendMessages(reply, this.feed.messages(this.feed.snapshots));
  }

  @Get('api/workers/stream')
  @UseGuards(WholeView)
  workers(@Res() reply: StreamReply) {
    sendMessages(reply, this.feed.messages(this.feed.workers));
  }

  @Get('api/jobs')
  async list(@Query() query: Record<string, unknown>, @Req() request: Request, @Res() reply: Reply) {
    answer(reply, await this.jobs.list(query, visitorOf(request)));
  }

  @Get('api/count')
  async count(@Query() query: Record<string, unknown>, @Req() request: Request, @Res() reply: Reply) {
    answer(reply, await this.jobs.count(query, visitorOf(request)));
  }

  @Get('api/jobs/:id')
  async job(@Param('id') id: string, @Req() request: Request, @Res() reply: Reply) {
    answer(reply, await this.jobs.find(id, visitorOf(request)));
  }

  @Get('api/jobs/:id/payload')
  async payload(@Param('id') id: string, @Req() request: Request, @Res() reply: Reply) {
    answer(reply, await this.jobs.payload(id, visitorOf(request)));
  }

  @Get('api/jobs/:id/stream')
  async follow(@Param('id') id: string, @Req() request: Request, @Res() reply: StreamReply) {
    const whose = visitorOf(request);
    await this.jobs.find(id, whose);
    sendMessages(reply, this.feed.messages(this.feed.whileStoreAnswers(this.jobs.follow(id, whose))));
  }

  @Get('api/schedules')
  @UseGuards(WholeView)
  async recurring(@Query() query: Record<string, unknown>, @Res() reply: Reply) {
    answer(reply, await this.schedules.list(query));
  }

  @Post('api/actions')
  @HttpCode(200)
  async act(@Body() body: unknown, @Req() request: Request, @Res() reply: Reply) {
    const action = parseAction(body);
    const [whose, actor] = [visitorOf(request), actorOf(request)];
    const { operation, targets } = action;
    if (!isOfSchedules(operation)) return answer(reply, await this.actions.act(action, whose, actor));
    if (whose.owner !== null) throw new ForbiddenException('Schedules concern the jobs of all owners.');
    if (!targets) throw new BadRequestException('An action on schedules needs targets.');
    answer(reply, await this.schedules.act(operation, targets, actor));
  }
}

const { page, asset, visitor, stream, workers, list, count, job, payload, follow, recurring, act } =
  DashboardController.prototype;
for (const method of [page, asset, visitor, stream, workers, list, count, job, payload, follow, recurring, act])
  keepReplies(method);

/** The page, its assets, its data, its streams and its actions, all behind the same guards. */
export function createDashboardController(path: string, guards: readonly (Type<CanActivate> | CanActivate)[]): Type {
  @Controller({ path, version: VERSION_NEUTRAL })
  class MountedDashboard extends DashboardController {}

  // Of documents by @nestjs/swagger, as its own decorator says it.
  Reflect.defineMetadata('swagger/apiExcludeController', [true], MountedDashboard);
  applyDecorators(UseGuards(...guards, DashboardGuard), UseInterceptors(new HttpErrors()))(MountedDashboard);
  return MountedDashboard;
}

/** Sends it past the interceptors of the application, which may wrap what its own routes return. */
function answer(reply: Reply, body: string | object, headers: Readonly<Record<string, string>> = DATA_HEADERS) {
  for (const [name, value] of Object.entries(headers)) reply.header(name, value);
  reply.send(typeof body === 'string' ? body : encodeExact(body));
}
