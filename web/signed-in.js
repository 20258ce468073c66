// Who was signed in when the page was last open. It saves a request that would be refused, and tells other windows.

const KEY = 'campfire.signed-in';

export function wasSignedIn() {
  try {
    return localStorage.getItem(KEY) !== null;
  } catch {
    return false;
  }
}

/** The id of the user, or 0 for nobody. */
export function noteSignedIn(userId) {
  try {
    if (userId) localStorage.setItem(KEY, String(userId));
    else localStorage.removeItem(KEY);
  } catch {
    // Without storage the server is asked each time.
  }
}

/** Calls back with the user's id, or 0, when another window signs in or out. */
export function whenOtherWindow(callback) {
  addEventListener('storage', ({ key, newValue }) => {
    if (key === KEY) callback(Number(newValue || 0));
  });
}
