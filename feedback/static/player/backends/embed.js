// Spotify's own embedded player (iFrame API): no account with this site's app is needed.
import { loadScript, Ticker, withTimeout } from "./ticker.js";

const SCRIPT = "https://open.spotify.com/embed/iframe-api/v1";
const TIMEOUT_MS = 8000;
// No event reports the end of a song. It is paused near its end, or back at its start.
const END_MS = 1200;

let api = null;

function loadApi() {
  api ??= withTimeout(TIMEOUT_MS, new Promise((resolve, reject) => {
    window.onSpotifyIframeApiReady = resolve;
    loadScript(SCRIPT).catch(reject);
  })).catch((error) => {
    api = null;
    throw error;
  });
  return api;
}

export class EmbedBackend {
  constructor(box, onUpdate) {
    this.name = "embed";
    this.isSpotify = true;
    this.box = box;
    this.onUpdate = onUpdate;
    this.ticker = new Ticker();
    this.durationMs = 0;
  }

  canPlay(track) {
    return Boolean(track.sources.spotify);
  }

  async load(track, startMs) {
    const factory = await loadApi();
    this.box.hidden = false;
    this.startMs = startMs;
    this.durationMs = 0;
    // Updates of the previous song may still arrive, so the position alone is no evidence.
    this.hasBegun = false;
    this.ticker.set(0, false);
    if (this.controller) {
      this.controller.loadUri(track.sources.spotify);
      return;
    }
    const mount = document.createElement("div");
    this.box.replaceChildren(mount);
    await withTimeout(TIMEOUT_MS, new Promise((resolve) => {
      factory.createController(mount, { uri: track.sources.spotify, width: "100%", height: 80 }, (controller) => {
        this.controller = controller;
        controller.addListener("ready", resolve);
        controller.addListener("playback_update", (event) => this.update(event.data));
      });
    }));
  }

  update({ isPaused, isBuffering, duration, position }) {
    if (this.box.hidden) {
      return;
    }
    const wasNearEnd = this.durationMs > 0 && this.ticker.ms > this.durationMs - END_MS;
    this.durationMs = duration;
    this.ticker.set(position, !isPaused && !isBuffering);
    if (!isPaused && this.startMs) {
      this.controller.seek(this.startMs / 1000);
      this.startMs = 0;
    }
    const hasEnded = isPaused && wasNearEnd && (position === 0 || position > duration - END_MS);
    this.onUpdate(this, { isRunning: this.ticker.isRunning, isPaused, hasEnded });
  }

  unload() {
    this.controller?.pause();
    this.box.hidden = true;
    this.ticker.set(0, false);
  }

  async play() {
    const { resume, play } = this.controller;
    (this.hasBegun ? resume : play).call(this.controller);
    this.hasBegun = true;
  }

  async pause() {
    this.controller.pause();
  }

  async seek(ms) {
    this.controller.seek(ms / 1000);
    this.ticker.set(ms, this.ticker.isRunning);
  }

  setVolume() {
    // Its API has no volume; the embedded player has its own.
  }

  get positionMs() {
    return this.ticker.ms;
  }
}
