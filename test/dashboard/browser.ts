import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

const CHROMIUM = '/usr/bin/chromium';
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

export const hasBrowser = existsSync(CHROMIUM);

let browser: Promise<Browser> | undefined;

afterAll(async () => {
  await (await browser)?.close();
  browser = undefined;
});

/** A page in a browser of this test file; closed when the test ends. The test fails on any error in the page. */
export async function openPage(url: string, options: BrowserContextOptions = {}): Promise<Page> {
  browser ??= chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  const context = await (await browser).newContext(options);
  onTestFinished(() => context.close());
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const errors: string[] = [];
  page.on('pageerror', (error) => errors.push(error.message));
  page.on('console', (message) => message.text().includes('Content Security Policy') && errors.push(message.text()));
  onTestFinished(() => expect(errors).toEqual([]));
  await page.goto(url);
  return page;
}

/** The accessibility violations that axe finds on the page. */
export function axe(page: Page): Promise<string[]> {
  return page.evaluate(`${AXE};axe.run().then(({violations}) => violations.flatMap(({id, nodes}) =>
    nodes.map(({html}) => id + ' ' + html)))`);
}

/** The width of the content beyond the window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth');
}
