// Spotify's Web Playback SDK: this browser becomes a device of the listener's account. Premium, and no phones.
import { spotify, texts } from "../api.js";
import { loadScript, Ticker, within } from "./ticker.js";

const SCRIPT = "https://sdk.scdn.co/spotify-player.js";
const PATIENCE_MS = 10_000;
const TICK_MS = 500;
const PHONE = /Mobi|Android|iPhone|iPad/;

export class SdkMeans {
  constructor(connection, listen) {
    this.name = "sdk";
    this.connection = connection;
    this.listen = listen;
    this.ticker = new Ticker();
    this.durationMs = 0;
    this.isImpossible = PHONE.test(navigator.userAgent) || !isSecureContext || !navigator.requestMediaKeySystemAccess;
  }

  canPlay(track) {
    return Boolean(track.means.spotify) && this.connection().streams && !this.isImpossible;
  }

  async load(track, startMs) {
    this.device ??= this.connect().catch((error) => {
      // Whatever the reason (no Premium, no DRM, blocked): not again on this page.
      this.isImpossible = true;
      throw error;
    });
    this.deviceId = await this.device;
    this.track = track;
    this.durationMs = track.duration_ms ?? 0;
    this.hasBegun = false;
    this.ticker.set(startMs, false);
  }

  async connect() {
    const isReady = new Promise((resolve) => { window.onSpotifyWebPlaybackSDKReady = resolve; });
    await within(PATIENCE_MS, Promise.all([loadScript(SCRIPT), isReady]));
    this.player = new window.Spotify.Player({
      name: document.querySelector(".brand")?.textContent.trim() || document.title,
      getOAuthToken: (give) => spotify("token").then(({ token }) => give(token), () => {}),
      volume: this.volume ?? 1,
    });
    this.player.addListener("player_state_changed", (state) => state && this.update(state));
    this.player.addListener("not_ready", () => this.listen(this, { failed: true }));
    this.player.addListener("playback_error", () => this.listen(this, { failed: true }));
    return within(PATIENCE_MS, new Promise((resolve, reject) => {
      this.player.addListener("ready", ({ device_id: id }) => resolve(id));
      for (const name of ["initialization_error", "authentication_error", "account_error"]) {
        this.player.addListener(name, ({ message }) => {
          reject(new Error(message || texts.unplayable));
          // Later on too: the connection may be ended at Spotify, or Premium run out, while it plays.
          this.isImpossible = true;
          if (this.hasBegun) {
            this.listen(this, { failed: true });
          }
        });
      }
      this.player.connect();
    }));
  }

  update({ paused, position, duration }) {
    if (!this.hasBegun) {
      // The song may be heard before our own server has answered; what still sounds of the one before is paused.
      this.early = paused ? null : { paused, position, duration };
      return;
    }
    const wasAtEnd = this.durationMs > 0 && this.ticker.ms > this.durationMs - 2000;
    this.durationMs = duration || this.durationMs;
    this.ticker.set(position, !paused);
    this.listen(this, { isRunning: !paused, isPaused: paused, hasEnded: paused && position === 0 && wasAtEnd });
  }

  async play() {
    if (this.hasBegun) {
      await this.player.resume();
      return;
    }
    this.player.activateElement?.();
    const values = { action: "start", device: this.deviceId, track: this.track.id };
    this.early = null;
    await spotify("command", { ...values, position_ms: Math.round(this.ticker.ms) });
    this.hasBegun = true;
    this.timer ??= setInterval(() => this.ticker.isRunning && this.listen(this, { isRunning: true, isPaused: false }), TICK_MS);
    if (this.early) {
      this.update(this.early);
    }
  }

  async pause() {
    await this.player.pause();
  }

  async seek(ms) {
    await this.player.seek(ms);
    this.ticker.set(ms, this.ticker.isRunning);
  }

  unload() {
    clearInterval(this.timer);
    this.timer = null;
    this.hasBegun = false;
    this.player?.pause();
    this.ticker.set(0, false);
  }

  setVolume(share) {
    this.volume = share;
    this.player?.setVolume(share);
  }

  get positionMs() {
    return this.ticker.ms;
  }
}
