// A position that goes on by itself between two pieces of news about it.
export class Ticker {
  constructor() {
    this.set(0, false);
  }

  set(ms, isRunning) {
    this.base = ms;
    this.isRunning = isRunning;
    this.since = performance.now();
  }

  get ms() {
    return this.base + (this.isRunning ? performance.now() - this.since : 0);
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

export function within(ms, promise) {
  return Promise.race([promise, new Promise((_resolve, reject) => setTimeout(() => reject(new Error("too late")), ms))]);
}
