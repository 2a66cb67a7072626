/**
 * A template of a function: its head on the first lines, as in `CREATE FUNCTION`, up to what it returns; then its body in PL/pgSQL,
 * a block or the statements of a block without declarations. Gives the statement that creates it.
 */
type Template = (texts: TemplateStringsArray, ...values: readonly unknown[]) => string;

function template(create: (body: string) => string): Template {
  return (texts, ...values) => {
    const text = texts.reduce((all, next, at) => `${all}${String(values[at - 1])}${next}`).trim();
    const end = text.indexOf('\n', text.indexOf(') RETURNS '));
    return `CREATE OR REPLACE FUNCTION ${text.slice(0, end)} ${create(text.slice(end).trim())}\n`;
  };
}

function inPlpgsql(settings: readonly string[]): Template {
  return template((body) => {
    const block = body.startsWith('DECLARE') ? body : `BEGIN\n${body}\nEND`;
    const set = settings.map((setting) => ` SET ${setting}`).join('');
    return `LANGUAGE plpgsql${set} AS $function$\n${block}\n$function$;`;
  });
}

const VERB = [
  'search_path FROM CURRENT',
  'plan_cache_mode = force_generic_plan',
  'jit = off',
  'lock_timeout = 5000', // a transaction of the application may hold a lock, and may never end
  'enable_seqscan = off',
  'enable_bitmapscan = off',
];

/** Called only by other functions, with their settings. */
export const part = inPlpgsql([]);

/**
 * Called by the store. Its plans are made once, for tables of any size, because the statistics of a queue are always outdated. Its
 * search path is the schema of the store, independent of the caller's.
 */
export const verb = inPlpgsql([...VERB, 'enable_hashjoin = off', 'enable_mergejoin = off']);

/** A verb that may use hash joins, because it joins only with its arguments. */
export const joins = inPlpgsql(VERB);

/** The body is an SQL expression, which becomes part of the calling statement. */
export const expression = template((body) => `LANGUAGE sql STABLE AS $function$ SELECT ${body} $function$;`);
