// A playback position that advances by itself between two updates.
export class Ticker {
  constructor() {
    this.set(0, false);
  }

  set(ms, isRunning) {
    this.startMs = ms;
    this.isRunning = isRunning;
    this.startedAt = performance.now();
  }

  get ms() {
    return this.startMs + (this.isRunning ? performance.now() - this.startedAt : 0);
  }
}

// Loads one of Spotify's scripts, once, when the first song needs it.
const scripts = new Map();

export function loadScript(address) {
  if (!scripts.has(address)) {
    scripts.set(address, new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = address;
      script.async = true;
      script.onload = resolve;
      script.onerror = () => {
        scripts.delete(address);
        script.remove();
        reject(new Error("not loaded"));
      };
      document.head.append(script);
    }));
  }
  return scripts.get(address);
}

export function withTimeout(ms, promise) {
  return Promise.race([promise, new Promise((_resolve, reject) => setTimeout(() => reject(new Error("too late")), ms))]);
}
