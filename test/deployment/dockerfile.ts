import { type Copy, DockerfileParser, type Instruction } from 'dockerfile-ast';
import { read } from './files.js';

/** One `FROM` and what belongs to it. */
export interface Stage {
  readonly name: string;
  /** A stage before it, or an image. */
  readonly from: string;
  readonly instructions: readonly Instruction[];
}

export interface CopiedPath {
  readonly stage: string;
  /** The stage that it is copied from; null for the context. */
  readonly from: string | null;
  readonly path: string;
}

export function stagesOf(path: string): Stage[] {
  const stages: { name: string; from: string; instructions: Instruction[] }[] = [];
  for (const instruction of DockerfileParser.parse(read(path)).getInstructions()) {
    const words = instruction.getArguments().map((argument) => argument.getValue());
    if (instruction.getKeyword() === 'FROM')
      stages.push({ from: words[0] ?? '', name: words[2] ?? '', instructions: [] });
    stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** A stage and those that it is from, the first of them first. */
export function withBases(stages: readonly Stage[], name: string): Stage[] {
  const stage = stages.find((one) => one.name === name);
  return stage ? [...withBases(stages, stage.from), stage] : [];
}

export function wordsOf(stages: readonly Stage[], keyword: string): string[][] {
  const found = stages.flatMap(({ instructions }) => instructions).filter((one) => one.getKeyword() === keyword);
  return found.map((one) => one.getArguments().map((argument) => argument.getValue()));
}

/** With their flags, each on one line. */
export function textOf(stages: readonly Stage[], keyword: string): string[] {
  const found = stages.flatMap(({ instructions }) => instructions).filter((one) => one.getKeyword() === keyword);
  return found.map((one) =>
    one
      .getTextContent()
      .replace(/^\w+\s+/, '')
      .replaceAll(/\\\n\s*/g, ''),
  );
}

export function copiedPaths(stages: readonly Stage[]): CopiedPath[] {
  return stages.flatMap(({ name, instructions }) =>
    instructions.flatMap((instruction) => {
      if (instruction.getKeyword() !== 'COPY') return [];
      const [flag] = (instruction as Copy).getFlags();
      const from = flag?.getName() === 'from' ? flag.getValue() : null;
      const words = instruction.getArguments().map((argument) => argument.getValue());
      return words.slice(0, -1).map((path) => ({ stage: name, from, path }));
    }),
  );
}
