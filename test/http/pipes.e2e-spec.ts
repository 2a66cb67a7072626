import {
  type ArgumentMetadata,
  Body,
  Controller,
  Param,
  ParseIntPipe,
  type PipeTransform,
  Post,
  Query,
  UsePipes,
  ValidationPipe,
} from '@nestjs/common';
import { Type } from 'class-transformer';
import { IsInt, IsString, Min } from 'class-validator';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { Report, type ReportRequest } from './reports.js';
import { ADAPTERS, startApp } from './start-app.js';
import { queued } from './queued-request.js';

const API = { role: 'api' } as const;

class ReportDto implements ReportRequest {
  @IsString()
  title!: string;

  @IsInt()
  @Min(1)
  @Type(() => Number)
  pages!: number;
}

class Shout implements PipeTransform {
  transform(value: unknown, { type }: { type: string }): unknown {
    return type === 'body' ? { title: (value as ReportRequest).title.toUpperCase() } : value;
  }
}

@Controller()
class PipedController {
  @Post('validated')
  @AsyncEndpoint(Report)
  validated(@Body() request: ReportDto) {
    return Object.assign(request, { title: `${request.title} by ${request.constructor.name}` });
  }

  @Post('shouted')
  @UsePipes(Shout)
  @AsyncEndpoint(Report)
  shouted(@Body() request: ReportRequest) {
    return request;
  }

  @AsyncEndpoint(Report)
  @UsePipes(Shout)
  @Post('shouted-below')
  shoutedBelow(@Body() request: ReportRequest) {
    return request;
  }

  @Post('volumes/:volume')
  @AsyncEndpoint(Report)
  volume(@Param('volume', ParseIntPipe) volume: number, @Body('title') title: string, @Query('tone') tone?: string) {
    return { title: `${title}, ${tone}`, pages: volume };
  }
}

describe.each(ADAPTERS)('Pipes of an async endpoint, on %s', (adapter) => {
  const validation = { transform: true, whitelist: true };

  it('validate the DTO: an invalid one is 400 with the mistakes, and nothing is queued', async () => {
    const app = await startApp(adapter, {
      controllers: [PipedController],
      options: API,
      configure: (nest) => nest.useGlobalPipes(new ValidationPipe(validation)),
    });
    const answer = await app.post('/validated', { title: 7, pages: 0 });
    expect([answer.status, answer.body]).toMatchObject([
      400,
      { message: ['title must be a string', 'pages must not be less than 1'] },
    ]);
    expect(await app.all()).toEqual([]);
  });

  it('transform and whitelist the payload', async () => {
    const app = await startApp(adapter, {
      controllers: [PipedController],
      options: API,
      configure: (nest) => nest.useGlobalPipes(new ValidationPipe(validation)),
    });
    expect((await app.post('/validated', { title: 'Bees', pages: '7', admin: true })).status).toBe(202);
    expect(await queued(app)).toEqual({ title: 'Bees by ReportDto', pages: 7 });
  });

  it('may forbid properties that are not in the DTO', async () => {
    const app = await startApp(adapter, {
      controllers: [PipedController],
      options: API,
      configure: (nest) => nest.useGlobalPipes(new ValidationPipe({ ...validation, forbidNonWhitelisted: true })),
    });
    expect((await app.post('/validated', { title: 'Bees', pages: 7, admin: true })).status).toBe(400);
    expect((await app.post('/validated', 'null')).status).toBe(400);
    expect((await app.post('/validated')).status).toBe(400);
    expect(await app.all()).toEqual([]);
  });

  it.each(['/shouted', '/shouted-below'])('of the method apply, and get only declared parameters: %s', async (path) => {
    const app = await startApp(adapter, { controllers: [PipedController], options: API });
    expect((await app.post(path, { title: 'Bees' })).status).toBe(202);
    expect(await queued(app)).toEqual({ title: 'BEES' });
  });

  it('of a parameter refuse: an invalid number is 400, and nothing is queued', async () => {
    const app = await startApp(adapter, { controllers: [PipedController], options: API });
    const answer = await app.post('/volumes/seven', { title: 'Bees' });
    expect([answer.status, await app.all()]).toEqual([400, []]);
    expect((await app.post('/volumes/7?tone=dry', { title: 'Bees' })).status).toBe(202);
    expect(await queued(app)).toEqual({ title: 'Bees, dry', pages: 7 });
  });

  it('do not get the hidden parameters of the decorator', async () => {
    const seen: string[] = [];
    const spy: PipeTransform = {
      transform: (value: unknown, { type, data }: ArgumentMetadata) => {
        seen.push(`${type} ${data ?? ''}`.trim());
        return value;
      },
    };
    const app = await startApp(adapter, {
      controllers: [PipedController],
      options: API,
      configure: (nest) => nest.useGlobalPipes(spy),
    });
    await app.post('/volumes/7', { title: 'Bees' });
    expect(seen.toSorted()).toEqual(['body title', 'param volume', 'query tone']);
  });
});
