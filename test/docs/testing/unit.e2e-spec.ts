import { Test } from '@nestjs/testing';
import { aJobContext } from 'nestjs-async-endpoints/testing';
import { Greet, GreetHandler, GreetingsController, Mailer } from './greetings.js';

describe('GreetingsController', () => {
  it('queues the trimmed name', async () => {
    const module = await Test.createTestingModule({ controllers: [GreetingsController] }).compile();
    const controller = module.get(GreetingsController);
    expect(controller.create({ name: ' Ada ' })).toEqual({ name: 'Ada' });
  });
});

describe('GreetHandler', () => {
  it('sends a greeting and reports its progress', async () => {
    const module = await Test.createTestingModule({ providers: [GreetHandler, Mailer] }).compile();
    const context = aJobContext(Greet, { attempt: 2, headers: { 'X-Request-Id': 'r-1' } });
    expect(await module.get(GreetHandler).handle({ name: 'Ada' }, context)).toBe('sent: Hello Ada, from r-1');
    expect(context.reports).toEqual([{ fraction: 0.5, message: 'writing' }]);
  });
});
