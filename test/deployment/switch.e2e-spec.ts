import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../temporary-folder.js';

const SCRIPT = 'k8s/overlays/blue-green/switch.sh';

/** A `kubectl` that only notes what it is asked for: there is no cluster here. `rollout` answers as it is told to. */
const KUBECTL = `#!/bin/sh
echo "$*" >> "$CALLS"
case "$*" in *rollout*) exit "$ROLLOUT" ;; esac
`;

describe('Switching between blue and green', () => {
  let folder: string;
  let calls: string;

  beforeEach(() => {
    folder = temporaryFolder();
    calls = join(folder, 'calls');
    writeFileSync(calls, '');
    writeFileSync(join(folder, 'kubectl'), KUBECTL);
    chmodSync(join(folder, 'kubectl'), 0o755);
  });

  const run = (args: string[], rollout = 0) => {
    const env = { PATH: `${folder}:${process.env.PATH}`, CALLS: calls, ROLLOUT: String(rollout) };
    const { status, stderr } = spawnSync('sh', [SCRIPT, ...args], { env, encoding: 'utf8' });
    return { status, stderr, calls: readFileSync(calls, 'utf8').trim().split('\n').filter(Boolean) };
  };

  it('waits for workers, then APIs, and then switches the requests', () => {
    const { status, calls: asked } = run(['green']);
    expect(status).toBe(0);
    expect(asked).toEqual([
      '-n async-endpoints rollout status deployment/async-endpoints-worker-green --timeout=300s',
      '-n async-endpoints rollout status deployment/async-endpoints-api-green --timeout=300s',
      '-n async-endpoints patch service async-endpoints-api --type merge --patch {"spec":{"selector":{"async-endpoints/color":"green"}}}',
    ]);
  });

  it('sends no requests to pods that do not become ready', () => {
    const { status, calls: asked } = run(['blue'], 1);
    expect(status).not.toBe(0);
    expect(asked.filter((call) => call.includes('patch'))).toEqual([]);
  });

  it.each([[[]], [['red']]])('explains its usage for %j', (args) => {
    expect(run(args)).toMatchObject({ status: 2, stderr: expect.stringContaining('blue|green'), calls: [] });
  });
});
