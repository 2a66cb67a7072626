import { INestApplication } from '@nestjs/common';
import { Test, TestingModule } from '@nestjs/testing';
import request from 'supertest';
import { App } from 'supertest/types';
import { AppModule } from './../src/app.module';

describe('ProcessDataController (e2e)', () => {
  let app: INestApplication<App>;

  beforeEach(async () => {
    const moduleFixture: TestingModule = await Test.createTestingModule({
      imports: [AppModule],
    }).compile();

    app = moduleFixture.createNestApplication();
    await app.init();
  });

  it('/process-data (POST)', () => {
    return request(app.getHttpServer())
      .post('/process-data')
      .set('Prefer', 'wait=20')
      .send({ data: 'text' })
      .expect(200)
      .expect(({ body }) => {
        expect(body.result).toEqual({ processedData: 'Processed: TEXT' });
      });
  });

  afterEach(async () => {
    await app.close();
  });
});
