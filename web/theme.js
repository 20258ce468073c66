// The theme: the system's, or the one chosen.

const KEY = 'campfire.theme';

export function theme() {
  try {
    return localStorage.getItem(KEY) || '';
  } catch {
    return '';
  }
}

function show(value) {
  if (value) document.documentElement.dataset.theme = value;
  else delete document.documentElement.dataset.theme;
}

export function chooseTheme(value) {
  try {
    localStorage.setItem(KEY, value);
  } catch {
    // Without storage it lasts as long as the page.
  }
  show(value);
}

show(theme());
