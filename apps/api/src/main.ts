import 'reflect-metadata';
import { configuration, demoLogger, jobsFile, parsePort, startProcess } from '@app/demo';
import { createApp } from './create-app.js';
import { welcome } from './welcome.js';

await startProcess(async () => {
  const { PORT, OPERATIONS_PORT } = process.env;
  const port = parsePort(PORT);
  const operationsPort = OPERATIONS_PORT?.trim() ? parsePort(OPERATIONS_PORT) : undefined;
  const logger = demoLogger(process.env);
  const file = await jobsFile(process.env, logger);
  return { app: await createApp(configuration(['all', 'api'], {}, file), { logger }, operationsPort), port };
}, welcome);
