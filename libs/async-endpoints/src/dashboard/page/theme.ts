import { useState } from 'preact/hooks';
import { html } from './html.js';

const THEMES = ['system', 'light', 'dark'];
/** The storage is that of the whole origin: the application may have a theme of its own. */
const KEY = 'async-endpoints-theme';

/** As it was chosen at the last visit. */
export function applyTheme(): void {
  document.documentElement.dataset['theme'] = stored();
}

export function Theme() {
  const [theme, setTheme] = useState(stored);
  const choose = (event: Event) => {
    const chosen = (event.target as HTMLSelectElement).value;
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // Storage is forbidden: the theme holds until the page is closed.
    }
    document.documentElement.dataset['theme'] = chosen;
    setTheme(chosen);
  };
  return html`<select aria-label="Theme" title="Theme" value=${theme} onChange=${choose}>
    ${THEMES.map((name) => html`<option value=${name}>${name[0]?.toUpperCase()}${name.slice(1)}</option>`)}
  </select>`;
}

function stored(): string {
  try {
    const theme = localStorage.getItem(KEY);
    return THEMES.find((name) => name === theme) ?? 'system';
  } catch {
    return 'system';
  }
}
