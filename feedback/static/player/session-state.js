// Keeps this tab's position in the song, so that playback goes on after a reload.
const KEY = "player";

export function saveSession(item, values) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify({ item, ...values }));
  } catch {
    // Storage may be off: then songs start from the beginning.
  }
}

export function loadSession(item) {
  try {
    const saved = JSON.parse(sessionStorage.getItem(KEY));
    return saved?.item === item ? saved : null;
  } catch {
    return null;
  }
}

export function clearSession() {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // As above.
  }
}
