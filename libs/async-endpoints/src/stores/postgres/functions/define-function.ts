/** A function in the database: one verb of the store, one step; or a part of such. */
export interface SqlFunction {
  readonly name: string;
  /** As in `CREATE FUNCTION`. */
  readonly parameters: string;
  readonly returns: string;
  /** In PL/pgSQL: a block, or the statements of one that declares nothing. */
  readonly body: string;
  /**
   * What the function is.
   *
   * - `verb` (the default): what the store calls. Its plans are made once, for tables of any size, because a queue's statistics
   *   are always old. Its search path is the schema of the store, whatever that of the caller is.
   * - `joins`: a verb whose joins may be hashed, because it joins only what it was given.
   * - `part`: called by others only, under their settings.
   * - `expression`: the body is one, in SQL, and becomes a part of the statement that calls it.
   */
  readonly kind?: 'verb' | 'joins' | 'part' | 'expression';
}

export function createStatement({ name, parameters, returns, body, kind = 'verb' }: SqlFunction): string {
  const head = `CREATE OR REPLACE FUNCTION ${name}(${parameters}) RETURNS ${returns}`;
  if (kind === 'expression') return `${head} LANGUAGE sql STABLE AS $function$ SELECT ${body.trim()} $function$;\n`;
  const block = body.trim().startsWith('DECLARE') ? body.trim() : `BEGIN\n${body.trim()}\nEND`;
  return `${head} LANGUAGE plpgsql ${settingsOf(kind)} AS $function$\n${block}\n$function$;\n`;
}

function settingsOf(kind: 'verb' | 'joins' | 'part'): string {
  if (kind === 'part') return '';
  const off = ['seqscan', 'bitmapscan', ...(kind === 'joins' ? [] : ['hashjoin', 'mergejoin'])];
  // A lock may be that of a transaction of the application, which can last for ever.
  const settings = [
    'search_path FROM CURRENT',
    'plan_cache_mode = force_generic_plan',
    'jit = off',
    'lock_timeout = 5000',
  ];
  return [...settings, ...off.map((what) => `enable_${what} = off`)].map((setting) => `SET ${setting}`).join(' ');
}
