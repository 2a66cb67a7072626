/*
 * The layout of a record and of a claim, as patterns of Lua. `codec.ts` describes the layout and reads it in TypeScript. A change of the
 * layout changes these two files, and the functions that write: `text_of` and `claim_of` (`record.lua.ts`), and the short forms in
 * `submit.lua.ts`, `claim.lua.ts` and `settle.lua.ts`.
 */

/** A line with its end. */
const LINE = '[^\\n]*\\n';
/** A line without its end. */
const TEXT = '[^\\n]*';
/** The first line: format, status, number of submission, number of fixed lines. Their length in bytes follows. */
const LENGTH = '(%x%x%x%x%x%x)';

/** Patterns of a record, from its beginning. */
export const OF_RECORD = {
  /** Status, number, fixed lines, their length, createdAt, due, priority, retries, crashes, and where `changing` begins. */
  stable: `'^1([QRSCFX])(%x%x%x%x%x%x%x%x)(%x)${LENGTH}(%d+),(%d+),(%-?%d+),(%d+),(%d+)()'`,
  /** After `stable`: fence, version, updated, started, completed, and where the fixed lines begin. */
  changing: `'^;(%d+),(%d+),(%d*),(%d*),(%d*)[^\\n]*\\n()'`,
  /** The number of submission and createdAt. */
  created: `'^1%a(........)%x%x%x%x%x%x%x(%d+)'`,
  /** The status, the length of the fixed lines, the end of what never changes in the first line, and where the fixed lines begin. */
  ends: `'^1(.).........${LENGTH}[^;\\n]*();${LINE}()'`,
  /** The length of the fixed lines, and where they begin. */
  fixed: `'^1%a%x%x%x%x%x%x%x%x%x${LENGTH}${LINE}()'`,
  /** After the place in a queue: fence and version. */
  fenceAfterPlace: `'[^;]*;(%d+),(%d+)'`,
  /** Where the line of the owner begins. */
  ownerAt: `'^${LINE}${LINE}()'`,
  /** A job that waits in a line, and one that waits in a sorted set: the number of its submission. */
  inLine: `'^1Q(........)'`,
  inSet: `'^1[RS](........)'`,
  isWaiting: `'^1[QRS]'`,
} as const;

/** Patterns of the fixed lines: name, owner, maxRetries, retention, fingerprint, attempts. */
export const OF_FIXED = {
  isWhole: `'^${LINE}${LINE}%d+\\n[%d,]*\\n${LINE}'`,
  name: `'^${TEXT}'`,
  owner: `'^(${TEXT})\\n(${TEXT})'`,
  /** Name and owner, and fingerprint. */
  identity: `'^(${LINE}${TEXT})\\n${LINE}${LINE}(${TEXT})'`,
  retention: `'^${LINE}${LINE}${LINE}(${TEXT})'`,
  /** The lines before the attempts, the attempts, and the lines after them. */
  attempts: `'^(${LINE}${LINE}${LINE}${LINE}${LINE})(${TEXT})\\n?(.*)$'`,
} as const;

/** Patterns of what follows the fixed lines: progress, error, result, payload. */
export const OF_REST = {
  all: `'^(${TEXT})\\n(${TEXT})\\n(${TEXT})\\n()'`,
  payloadAt: `'^${LINE}${LINE}${LINE}()'`,
} as const;

/** Patterns of a claim. */
export const OF_CLAIM = {
  /** Fence, version, started, lease, updated, worker, progress. */
  all: `'^(%d+),(%d+),(%d+),(%d+),(%d*),(${TEXT})\\n?(.*)$'`,
  leaseUntil: `'^%d+,%d+,%d+,(%d+),%d*,${TEXT}'`,
  versionAndStart: `'^%d+,(%d+),(%d+)'`,
} as const;
