import { defineScript } from './define-script.js';
import { TRANSITION } from './transition.lua.js';

interface Change {
  /** The arguments of this script, after the common ones. */
  readonly args?: readonly string[];
  /** Lua code that the change uses. */
  readonly uses?: string;
  /** The body of a function of `id` and `job`. It changes the job, or returns false when the job must not change. */
  readonly change: string;
  /** An expression for a changed job, evaluated before the change and returned beside its record. */
  readonly before?: string;
  /** Two expressions, returned for a job that does not change. */
  readonly unchanged?: string;
  /** An expression, returned first for a job that does not exist. */
  readonly missing?: string;
}

/**
 * The common part of `cancel`, `rerun` and `recover`: a change of each job that allows it.
 *
 * KEYS     as in `record.lua.ts`
 * time, announce, channels as in `transition.lua.ts`, then the script's own
 * …        for each job: queue (from 1), id
 * returns  for each: its record after the change and its claim, each '' when there is none. Fewer than requested when they are
 *          large: ask again for the rest
 */
export function defineChange(name: string, { args = [], ...change }: Change) {
  return defineScript<string[]>({ name, args: ['time', 'announce', 'channels', ...args], lua: luaOf(change) });
}

const AS_IT_IS = "text_of(job), job.status == 'P' and claim_of(job) or ''";

function luaOf({ uses = '', change, before = "''", unchanged = AS_IT_IS, missing = "''" }: Change): string {
  return `${TRANSITION}${uses}
local replies, ids = {}, {}
for at = FIRST, #ARGV, 2 do ids[#ids + 1] = ARGV[at + 1] end
local jobs = load(ids)
local latest = {}

local function change(id, job)
${change}
end
for n = 1, #jobs do
  local id = ids[n]
  local queue = tonumber(ARGV[FIRST + (n - 1) * 2])
  local job = latest[id] or jobs[n]
  latest[id] = job
  if job and is_of(job.fixed, queue) then
    local was = { status = job.status, sequence = job.sequence, size = job.size }
    local entries = entries_of(id, job, true)
    local before = ${before}
    if change(id, job) then
      touch(id, job)
      leave(id, was, queue, entries)
      put(replies, write(id, job), before)
      enter(id, job, queue)
    else
      put(replies, ${unchanged})
    end
  else
    put(replies, ${missing}, '')
  end
end
save()
return replies`;
}
