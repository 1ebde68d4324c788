/** Light, dark, or as the device: a mark on the root that the colours in tokens.css follow. Kept here too, so that the next start does not flash. */
const KEY = 'ledge-theme';
export type Theme = 'auto' | 'light' | 'dark';

export function showTheme(theme: Theme): void {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // a browser that keeps nothing shows it a moment later
  }
}

export function showLastTheme(): void {
  try {
    const theme = localStorage.getItem(KEY);
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // as the device, until the preferences are there
  }
}
