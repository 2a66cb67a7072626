import { Test } from '@nestjs/testing';
import { Expose, Type } from 'class-transformer';
import { ArrayNotEmpty, IsDate, IsInt, ValidateNested } from 'class-validator';
import { AsyncEndpointsModule, AsyncHandler, defineJob, JobManager } from '../index.js';

class Item {
  @IsInt()
  count = 0;
}

class Reminder {
  @Type(() => Date)
  @IsDate()
  at!: Date;

  @Expose({ name: 'the_items' })
  @Type(() => Item)
  @ValidateNested()
  @ArrayNotEmpty()
  items: Item[] = [];

  isBefore(date: Date): boolean {
    return this.at < date;
  }
}

const Remind = defineJob<Reminder, string>('Remind', { payload: Reminder });

@AsyncHandler(Remind)
class RemindHandler {
  handle(reminder: Reminder): string {
    const isRebuilt = reminder instanceof Reminder && reminder.items.every((item) => item instanceof Item);
    return `${isRebuilt} ${reminder.isBefore(new Date(1))} ${reminder.items.map(({ count }) => count).join()}`;
  }
}

describe('A job with a payload class', () => {
  async function ended(payload: unknown) {
    const module = await Test.createTestingModule({
      imports: [AsyncEndpointsModule.forRoot()],
      providers: [RemindHandler],
    }).compile();
    onTestFinished(() => module.close());
    await module.init();
    const jobs = module.get(JobManager);
    return jobs.waitFor<string>((await jobs.submit('Remind', payload)).id);
  }

  it('gives its handler an instance, with dates and nested instances', async () => {
    const reminder = Object.assign(new Reminder(), { at: new Date(0), items: [{ count: 2 }, { count: 3 }] });
    expect((await ended(reminder)).result).toBe('true true 2,3');
  });

  it('fails at once when the payload is not valid, with the rules that it breaks', async () => {
    const { status, error, retryCount } = await ended({ at: 'never', items: [{ count: 'two' }] });
    expect({ status, retryCount, error }).toEqual({
      status: 'Failed',
      retryCount: 0,
      error: {
        code: 'PAYLOAD_INVALID',
        message: 'The payload is not valid.',
        details: ['at must be a Date instance', 'items.0.count must be an integer number'],
      },
    });
    expect((await ended(undefined)).error?.code).toBe('PAYLOAD_INVALID');
  });
});
