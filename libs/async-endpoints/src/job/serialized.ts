/** What JSON has no form for, or an empty one. */
type NotJson =
  | bigint
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | WeakMap<WeakKey, unknown>
  | WeakSet<WeakKey>
  | PromiseLike<unknown>
  | ArrayBufferView
  | ArrayBuffer
  | RegExp;

/** What JSON leaves out of objects. */
type Omitted = ((...args: never[]) => unknown) | symbol;

type Plain = string | number | boolean | null | undefined | void;

/**
 * A value after it was written as JSON and read again: what a handler gets of a payload, and a client of a result. A `Date`
 * is a string, methods are gone, and whatever has a method `toJSON` is what that returns.
 */
export type Serialized<T> = unknown extends T
  ? T
  : T extends Plain
    ? T
    : T extends Omitted
      ? undefined
      : T extends { toJSON(...args: never[]): infer TJson }
        ? Serialized<TJson>
        : T extends readonly unknown[]
          ? { [K in keyof T]: Serialized<T[K]> }
          : {
              [K in keyof T as K extends symbol ? never : NonNullable<T[K]> extends Omitted ? never : K]: Serialized<
                T[K]
              >;
            };

/** Names the part of a type that JSON cannot represent, down to four levels; `never` when there is none. */
export type JsonProblem<T, TPath extends string, TDepth extends 1[] = []> = unknown extends T
  ? never
  : TDepth['length'] extends 5
    ? never
    : T extends NotJson
      ? `${TPath} is ${NameOf<T>}, which JSON cannot carry: use text, a number, a list or a plain object`
      : T extends Plain | Omitted | { toJSON(...args: never[]): unknown }
        ? never
        : T extends readonly (infer TItem)[]
          ? JsonProblem<TItem, `${TPath}[]`, [...TDepth, 1]>
          : { [K in keyof T & string]-?: JsonProblem<T[K], `${TPath}.${K}`, [...TDepth, 1]> }[keyof T & string];

type NameOf<T> = T extends bigint
  ? 'a bigint'
  : T extends ReadonlyMap<unknown, unknown>
    ? 'a Map'
    : T extends ReadonlySet<unknown>
      ? 'a Set'
      : T extends PromiseLike<unknown>
        ? 'a promise'
        : T extends RegExp
          ? 'a RegExp'
          : T extends ArrayBufferView | ArrayBuffer
            ? 'binary data'
            : 'a WeakMap or WeakSet';
