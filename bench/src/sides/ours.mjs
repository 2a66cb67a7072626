import { RedisJobStore } from './library.mjs';
import { serveOurs } from './our-side.mjs';

serveOurs((port) => new RedisJobStore({ url: `redis://127.0.0.1:${port}` }));
