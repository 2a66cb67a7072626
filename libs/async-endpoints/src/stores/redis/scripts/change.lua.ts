import { defineScript } from './define-script.js';
import { TRANSITION } from './transition.lua.js';

interface Change {
  /** Arguments besides the usual ones, which come after them. */
  readonly args?: readonly string[];
  /** Lua that the change uses. */
  readonly uses?: string;
  /** The body of a function of `id` and `job`: changes the job, and returns false where it must not. */
  readonly change: string;
  /** What is returned of a job that was changed besides its record, read before the change. */
  readonly before?: string;
  /** What is returned of a job that stays as it is: two expressions. */
  readonly unchanged?: string;
  /** What is returned first of a job that is not there. */
  readonly missing?: string;
}

/**
 * What `cancel`, `rerun` and `recover` have in common: one change, for each job whose status and time allow it.
 *
 * KEYS     as in `record.lua.ts`
 * time, announce, channels as in `transition.lua.ts`, then the script's own
 * …        for each job: queue (from 1), id
 * returns  for each: its record as it now stands and its claim, each '' where there is none. Fewer than were asked for where
 *          they are large: ask again for the rest
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
    local before = ${before}
    if change(id, job) then
      touch(id, job)
      leave(id, was, queue)
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
