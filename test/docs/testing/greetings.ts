import { Body, Controller, Inject, Injectable, Module, Post } from '@nestjs/common';
import { AsyncEndpoint, AsyncHandler, defineJob, type JobContext, type JobHandler } from 'nestjs-async-endpoints';

export const Greet = defineJob<{ name: string }, string>('Greet');

@Controller('greetings')
export class GreetingsController {
  @Post()
  @AsyncEndpoint(Greet)
  create(@Body() request: { name: string }) {
    return { name: request.name.trim() };
  }
}

@Injectable()
export class Mailer {
  async send(text: string): Promise<string> {
    return `sent: ${text}`;
  }
}

@AsyncHandler(Greet)
export class GreetHandler implements JobHandler<typeof Greet> {
  constructor(@Inject(Mailer) private readonly mailer: Mailer) {}

  async handle({ name }: { name: string }, context: JobContext): Promise<string> {
    await context.progress(0.5, 'writing');
    return this.mailer.send(`Hello ${name}, from ${context.headers.get('x-request-id') ?? 'nobody'}`);
  }
}

@Module({ controllers: [GreetingsController], providers: [GreetHandler, Mailer] })
export class GreetingsModule {}
