import { readFile } from 'node:fs/promises';

const PAGE = new URL('./page/', import.meta.url);

const TYPES: Readonly<Record<string, string>> = {
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Nothing from elsewhere, nothing inline, in no frame. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** A file of the page; null for any other name. */
export async function readAsset(name: string): Promise<{ body: string; type: string } | null> {
  const type = /^[a-z-]+\.(css|js|svg)$/.exec(name)?.[1];
  if (type === undefined) return null;
  try {
    return { body: await readFile(new URL(name, PAGE), 'utf8'), type: TYPES[type] ?? '' };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/**
 * The page. The addresses of its assets are relative, so that it works behind a proxy that strips a prefix; the script finds
 * everything else beside itself.
 *
 * @param url as the server received it
 */
export function pageAt(url: string): string {
  const segment = url.split(/[?#]/, 1)[0]?.split('/').at(-1) ?? '';
  const base = /^[\w.~%-]+$/.test(segment) ? `${segment}/` : './';
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Jobs</title>',
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<link rel="icon" href="${base}assets/icon.svg">`,
    `<link rel="stylesheet" href="${base}assets/style.css"><script type="module" src="${base}assets/app.js"></script>`,
    '</head><body><div id="app"></div><noscript>The dashboard needs JavaScript.</noscript></body></html>',
  ].join('\n');
}
