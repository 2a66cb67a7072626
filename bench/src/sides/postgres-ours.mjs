import { urlOf } from '../postgres-server.mjs';
import { PostgresJobStore } from './library.mjs';
import { serveOurs } from './our-side.mjs';

serveOurs((port) => new PostgresJobStore({ url: urlOf(port) }));
