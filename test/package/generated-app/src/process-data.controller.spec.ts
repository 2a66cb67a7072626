import { Test, TestingModule } from '@nestjs/testing';
import { ProcessDataController } from './process-data';

describe('ProcessDataController', () => {
  let controller: ProcessDataController;

  beforeEach(async () => {
    const module: TestingModule = await Test.createTestingModule({
      controllers: [ProcessDataController],
    }).compile();

    controller = module.get<ProcessDataController>(ProcessDataController);
  });

  it('should be defined', () => {
    expect(controller).toBeDefined();
  });

  it('returns what is queued', () => {
    expect(controller.processData({ data: 'text' })).toEqual({ data: 'text' });
  });
});
