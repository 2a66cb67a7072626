import type { ValidationError } from 'class-validator';
import type { JobDefinition } from '../job/define-job.js';
import { invalidOption, PermanentJobError } from '../job/errors.js';

export type Rebuild = (payload: unknown) => Promise<unknown>;

/**
 * Returns a function that turns payloads into validated instances of the payload class of the job; undefined when the job has no
 * such class.
 *
 * The stored names and values are those of the submitted instance, so `@Expose` and `@Exclude` do not apply here.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION` when class-transformer is not installed
 */
export async function rebuildOf({ name, payload: type }: JobDefinition): Promise<Rebuild | undefined> {
  if (!type) return undefined;
  const transformer = await import('class-transformer').catch(() => undefined);
  if (!transformer)
    throw invalidOption(
      `The payload class of job "${name}" needs the package class-transformer: npm install class-transformer`,
    );
  const validator = await import('class-validator').catch(() => undefined);
  return async (payload) => {
    const instance = instanceOf(() =>
      transformer.plainToInstance(type as new () => object, payload, { ignoreDecorators: true }),
    );
    const errors = (await validator?.validate(instance, { forbidUnknownValues: false })) ?? [];
    if (errors.length === 0) return instance;
    throw new PermanentJobError('The payload is not valid.', { code: 'PAYLOAD_INVALID', details: messagesOf(errors) });
  };
}

function instanceOf(transform: () => unknown): object {
  const invalid = (cause?: unknown) =>
    new PermanentJobError('The payload cannot be made an instance of its class.', { code: 'PAYLOAD_INVALID', cause });
  let instance: unknown;
  try {
    instance = transform();
  } catch (cause) {
    throw invalid(cause);
  }
  if (typeof instance !== 'object' || instance === null || Array.isArray(instance)) throw invalid();
  return instance;
}

/** The messages, in the format of Nest's `ValidationPipe`. */
function messagesOf(errors: readonly ValidationError[], path = ''): string[] {
  return errors.flatMap(({ property, constraints, children }) => [
    ...Object.values(constraints ?? {}).map((message) => path + message),
    ...messagesOf(children ?? [], `${path}${property}.`),
  ]);
}
