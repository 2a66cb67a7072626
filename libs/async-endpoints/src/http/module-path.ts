import type { Type } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/** `MODULE_PATH`, which `RouterModule` writes on a module class for each application. */
const MODULE_PATH = '__module_path__';

/** The path under which `RouterModule` has put the controllers of a module; empty where it has not. */
export function modulePathOf(module: Type, { applicationId }: Pick<ModulesContainer, 'applicationId'>): string {
  const path: unknown =
    Reflect.getMetadata(MODULE_PATH + applicationId, module) ?? Reflect.getMetadata(MODULE_PATH, module);
  return typeof path === 'string' ? path : '';
}

/** One path, without empty segments. */
export function joinPaths(...paths: string[]): string {
  const segments = paths.flatMap((path) => path.split('/')).filter(Boolean);
  return segments.map((segment) => `/${segment}`).join('');
}
