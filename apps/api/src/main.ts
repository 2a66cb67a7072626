import 'reflect-metadata';
import { readSettings, startProcess } from '@app/demo';
import { createApp } from './create-app.js';
import { welcome } from './welcome.js';

await startProcess(async () => {
  const settings = readSettings(process.env, ['all', 'api']);
  return { app: await createApp({}, settings), port: settings.port };
}, welcome);
