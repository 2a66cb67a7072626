/** A function in the database: one verb of the store, one step. */
export interface SqlFunction {
  readonly name: string;
  /** As in `CREATE FUNCTION`. */
  readonly parameters: string;
  readonly returns: string;
  /** The body in PL/pgSQL. */
  readonly body: string;
  /** Whether a join may be hashed or merged: not where a plan for a few rows must do for a queue that has grown since. */
  readonly joins?: boolean;
}

/**
 * Plans are made once, for tables of any size: a queue's statistics are always old. The search path is the schema of the store,
 * whatever that of the caller is.
 */
export function createStatement({ name, parameters, returns, body, joins = false }: SqlFunction): string {
  const off = ['seqscan', 'bitmapscan', ...(joins ? [] : ['hashjoin', 'mergejoin'])];
  const settings = off.map((what) => `SET enable_${what} = off`).join(' ');
  return `CREATE OR REPLACE FUNCTION ${name}(${parameters}) RETURNS ${returns} LANGUAGE plpgsql
SET search_path FROM CURRENT SET plan_cache_mode = force_generic_plan SET jit = off ${settings}
AS $function$
${body.trim()}
$function$;
`;
}
