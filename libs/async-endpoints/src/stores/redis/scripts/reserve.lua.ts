import { defineScript } from './define-script.js';

/**
 * Assigns an id to an idempotency key, unless it has one. Needed when key and job are in different partitions.
 *
 * KEYS     the key
 * time     the clock in ms, or '' for the clock of Redis
 * id       the id to assign
 * keyMs    the retention of the key
 * returns  the id of the key
 */
export const reserveScript = defineScript<string>({
  name: 'reserve',
  args: ['time', 'id', 'keyMs'],
  lua: `
local clock = redis.call('TIME')
local now = tonumber(time) or clock[1] * 1000 + math.floor(clock[2] / 1000)
local known, until_ms = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%d+)$')
if known and tonumber(until_ms) > now then return known end
redis.call('SET', KEYS[1], id .. ' ' .. string.format('%.0f', now + keyMs), 'PX', keyMs + 60000)
return id`,
});
