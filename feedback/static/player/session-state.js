// Where this tab's song was, so that it goes on after the page is loaded anew.
const KEY = "player";

export function remember(item, values) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ item, ...values }));
  } catch {
    // Storage may be off: then songs begin anew.
  }
}

export function recall(item) {
  try {
    const saved = JSON.parse(sessionStorage.getItem(KEY));
    return saved?.item === item ? saved : null;
  } catch {
    return null;
  }
}

export function forget() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}
