/** A function in the database: a verb of the store as one atomic step, or a part of a verb. */
export interface SqlFunction {
  readonly name: string;
  /** As in `CREATE FUNCTION`. */
  readonly parameters: string;
  readonly returns: string;
  /** In PL/pgSQL: a block, or the statements of a block without declarations. */
  readonly body: string;
  /**
   * The kind of function.
   *
   * - `verb` (the default): called by the store. Its plans are made once, for tables of any size, because the statistics of a
   * queue are always outdated. Its search path is the schema of the store, independent of the caller's.
   * - `joins`: a verb that may use hash joins, because it joins only with its arguments.
   * - `part`: called only by other functions, with their settings.
   * - `expression`: the body is an SQL expression, which becomes part of the calling statement.
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
  // A transaction of the application may hold a lock, and may never end.
  const settings = [
    'search_path FROM CURRENT',
    'plan_cache_mode = force_generic_plan',
    'jit = off',
    'lock_timeout = 5000',
  ];
  return [...settings, ...off.map((what) => `enable_${what} = off`)].map((setting) => `SET ${setting}`).join(' ');
}
