import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { createApp } from './create-app.js';
import { parsePort } from './port.js';
import { welcome } from './welcome.js';

try {
  const port = parsePort(process.env['PORT']);
  const app = await createApp();
  await app.listen(port, '0.0.0.0');
  const { port: actual } = app.getHttpServer().address() as AddressInfo;
  console.log(welcome(`http://localhost:${actual}`));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
