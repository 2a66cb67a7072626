import 'reflect-metadata';
import { configuration, demoLogger, parsePort, startProcess } from '@app/demo';
import { createApp } from './create-app.js';
import { welcome } from './welcome.js';

await startProcess(async () => {
  const port = parsePort(process.env['PORT']);
  return { app: await createApp(configuration(['all', 'api']), { logger: demoLogger(process.env) }), port };
}, welcome);
