import { Test } from '@nestjs/testing';
import { ProcessDataHandler } from './process-data';

describe('ProcessDataHandler', () => {
  it('processes the data', async () => {
    const module = await Test.createTestingModule({ providers: [ProcessDataHandler] }).compile();
    const progress = jest.fn();
    const result = await module.get(ProcessDataHandler).handle({ data: 'text' }, { progress } as never);
    expect(result).toEqual({ processedData: 'Processed: TEXT' });
    expect(progress).toHaveBeenCalledWith(0.5);
  });
});
