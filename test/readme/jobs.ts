import { defineJob } from 'nestjs-async-endpoints/client';

export const ProcessData = defineJob<{ data: string }, { processedData: string }>('ProcessData', { maxRetries: 5 });
