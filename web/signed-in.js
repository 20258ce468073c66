// Whether somebody was signed in when the page was last open. It saves a request that would be refused.

const KEY = 'campfire.signed-in';

export function wasSignedIn() {
  try {
    return localStorage.getItem(KEY) === '1';
  } catch {
    return false;
  }
}

export function noteSignedIn(is) {
  try {
    if (is) localStorage.setItem(KEY, '1');
    else localStorage.removeItem(KEY);
  } catch {
    // Without storage the server is asked each time.
  }
}
