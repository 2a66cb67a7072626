import type { Type } from '@nestjs/common';

type Constructor<T> = abstract new (...args: never[]) => T;
type ClassOf<T> = T extends string
  ? StringConstructor
  : T extends number
    ? NumberConstructor
    : T extends boolean
      ? BooleanConstructor
      : Constructor<T>;

/** A class for results of this type, in brackets for a list of them; `String`, `Number` or `Boolean` for these. */
export type ResultType<TResult = unknown> = unknown extends TResult
  ? Constructor<unknown> | readonly [Constructor<unknown>]
  : TResult extends readonly (infer TItem)[]
    ? readonly [ClassOf<TItem>]
    : ClassOf<TResult>;

/** @throws TypeError where it is neither a class nor a list of one, as plain JavaScript may have it */
export function classOf(resultType: unknown): { type: Type; isList: boolean } {
  const [type, ...others] = [resultType].flat();
  if (typeof type === 'function' && others.length === 0)
    return { type: type as Type, isList: Array.isArray(resultType) };
  throw new TypeError(`resultType is ${String(resultType)}; expected a class, or a list of one class.`);
}
