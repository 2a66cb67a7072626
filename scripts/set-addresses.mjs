// Run by `npm publish` in the package's folder: repository, homepage and bugs of package.json are those of git's remote `origin`, so
// that they are never the address of somebody else. npm shows the README with links that are relative to the repository.
import { execFileSync } from 'node:child_process';

const url = addressOf(originUrl());
const fields = {
  'repository.type': 'git',
  'repository.url': `git+${url}.git`,
  homepage: `${url}#readme`,
  'bugs.url': `${url}/issues`,
};
execFileSync('npm', ['pkg', 'set', ...Object.entries(fields).map(([name, value]) => `${name}=${value}`)]);

function originUrl() {
  try {
    return execFileSync('git', ['remote', 'get-url', 'origin'], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    console.error(
      'The package cannot be published without the address of its repository. Run: git remote add origin <url>',
    );
    process.exit(1);
  }
}

/** @returns the https address without credentials, of an origin like https://host/path.git, ssh://git@host/path or git@host:path */
function addressOf(origin) {
  const [, host, path] = /^(?:[a-z+]+:\/\/)?(?:[^@/]+@)?([^:/]+)(?::\d+)?[:/](.+?)(?:\.git)?\/?$/.exec(origin) ?? [];
  if (!host) {
    console.error(
      `The remote "origin" of git is "${origin}"; expected an address such as https://example.com/owner/repository.`,
    );
    process.exit(1);
  }
  return `https://${host}/${path}`;
}
