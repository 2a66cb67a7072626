/** `TransformationType.CLASS_TO_PLAIN`, which class-transformer does not export. */
const CLASS_TO_PLAIN = 1;
/** Not a literal in `import`, because the file has no types and a bundler must not include it. */
const STORAGE = 'class-transformer/cjs/storage.js';

/** The part of class-transformer's metadata storage that is read here; mapped types of Nest read it too. */
interface MetadataStorage {
  getStrategy(target: object): 'excludeAll' | 'exposeAll' | 'none';
  getExcludedMetadatas(target: object): unknown[];
  getExposedMetadatas(target: object): unknown[];
  findTransformMetadatas(target: object, property: string, type: number): unknown[];
}

export interface ClassTransformer {
  toPlain(instance: object): unknown;
  /** Whether the class has `@Exclude`, `@Expose` or `@Transform`. */
  describes(instance: object): boolean;
}

/** Loads class-transformer if it is installed; it is optional. */
export async function loadClassTransformer(): Promise<ClassTransformer | undefined> {
  const library = await import('class-transformer').catch(() => undefined);
  if (!library) return undefined;
  const { Exclude, instanceToPlain } = library;
  function Probe() {}
  Exclude()(Probe);
  const storage = await importStorage().catch(() => undefined);
  const toPlain = (instance: object): unknown => instanceToPlain(instance);
  // In a bundle the storage may be another copy. Then treat every class as described, so that nothing hidden is shown.
  if (storage?.getStrategy(Probe) !== 'excludeAll') return { toPlain, describes: () => true };
  return { toPlain, describes: (instance) => isDescribed(instance, storage) };
}

async function importStorage(): Promise<MetadataStorage> {
  const module = (await import(/* webpackIgnore: true */ STORAGE)) as { defaultMetadataStorage: MetadataStorage };
  return module.defaultMetadataStorage;
}

function isDescribed(instance: object, storage: MetadataStorage): boolean {
  const target = instance.constructor;
  if (storage.getStrategy(target) !== 'none') return true;
  if (storage.getExcludedMetadatas(target).length + storage.getExposedMetadatas(target).length > 0) return true;
  const keys = Object.keys(instance);
  return keys.some((key) => storage.findTransformMetadatas(target, key, CLASS_TO_PLAIN).length > 0);
}
