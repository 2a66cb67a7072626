import type { INestApplication } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { AsyncEndpointsModule } from 'nestjs-async-endpoints';
import { runJobs, TestJobStore } from 'nestjs-async-endpoints/testing';
import { GreetingsModule, Mailer } from './greetings.js';

describe('POST /greetings', () => {
  let app: INestApplication;
  let mails: string[];

  beforeEach(async () => {
    mails = [];
    const mailer = {
      async send(text: string) {
        mails.push(text);
        if (mails.length < 3) throw new Error('The mail server is away');
        return 'sent';
      },
    };
    const module = await Test.createTestingModule({
      imports: [AsyncEndpointsModule.forRoot({ store: new TestJobStore() }), GreetingsModule],
    })
      .overrideProvider(Mailer)
      .useValue(mailer)
      .compile();
    app = module.createNestApplication({ logger: false });
    await app.listen(0);
  });

  afterEach(() => app.close());

  it('sends the mail at the third attempt', async () => {
    const submitted = await fetch(`${await app.getUrl()}/greetings`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name: 'Ada' }),
    });
    expect(submitted.status).toBe(202);
    const [job] = await runJobs(app); // skips the delays of 4 and 8 s between the attempts
    expect(job).toMatchObject({ status: 'Completed', retryCount: 2, result: 'sent' });
    expect(mails).toHaveLength(3);
  });
});
