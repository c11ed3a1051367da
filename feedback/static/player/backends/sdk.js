// Spotify's Web Playback SDK: this browser becomes a device of the listener's account. Premium, and no phones.
import { spotify, texts } from "../api.js";
import { loadScript, Ticker, within } from "./ticker.js";

const SCRIPT = "https://sdk.scdn.co/spotify-player.js";
const PATIENCE_MS = 10_000;
const TICK_MS = 500;
// A song this near its end has ended when another one begins.
const END_MS = 2000;
const PHONE = /Mobi|Android|iPhone|iPad/;

export class SdkMeans {
  constructor(connection, listen) {
    this.name = "sdk";
    this.isSpotify = true;
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
    this.isHeard = false;
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
    this.player.addListener("player_state_changed", (state) => this.update(state));
    this.player.addListener("autoplay_failed", () => this.wait());
    this.player.addListener("not_ready", () => this.lose());
    this.player.addListener("playback_error", () => this.fail(texts.sdk_failed));
    return within(PATIENCE_MS, new Promise((resolve, reject) => {
      this.player.addListener("ready", ({ device_id: id }) => {
        resolve(id);
        this.comeBack(id);
      });
      for (const name of ["initialization_error", "authentication_error", "account_error"]) {
        this.player.addListener(name, async () => {
          const reason = await this.reasonOf(name);
          reject(Object.assign(new Error(reason), { isTold: true }));
          // Later on too: the connection may be ended at Spotify, or Premium run out, while it plays.
          this.isImpossible = true;
          this.fail(reason);
        });
      }
      this.player.connect();
    }));
  }

  // The SDK names no reason that helps anybody; the site knows whether the connection has ended.
  async reasonOf(name) {
    if (name === "authentication_error") {
      return spotify("token").then(() => texts.sdk_failed, (error) => error.message);
    }
    return name === "account_error" ? texts.needs_premium : "";
  }

  fail(reason) {
    if (this.hasBegun) {
      this.hasBegun = false;
      this.listen(this, { failed: true, reason });
    }
  }

  // The browser lets nothing sound before a click.
  wait() {
    this.hasBegun = false;
    this.ticker.set(this.ticker.ms, false);
    this.listen(this, { isRunning: false, isPaused: true, needsClick: true });
  }

  // The device is gone, often for a moment only: the place in the song is kept until it is back, under another id.
  lose() {
    if (!this.hasBegun) {
      this.device = null;
      return;
    }
    this.isLost = true;
    this.wasRunning = this.ticker.isRunning;
    this.ticker.set(this.ticker.ms, false);
    this.listen(this, { isRunning: false, isPaused: false });
    this.patience = setTimeout(() => {
      this.device = null;
      this.isLost = false;
      this.fail(texts.sdk_lost);
    }, PATIENCE_MS);
  }

  async comeBack(id) {
    this.deviceId = id;
    this.device = Promise.resolve(id);
    clearTimeout(this.patience);
    if (this.isLost) {
      this.isLost = false;
      this.hasBegun = false;
      if (this.wasRunning) {
        await this.play().catch((error) => this.listen(this, { failed: true, reason: error.message }));
      }
    }
  }

  update(state) {
    if (!this.track || this.isLost) {
      return;
    }
    if (!this.hasBegun) {
      // The song may be heard before our own server has answered; what still sounds of the one before is paused.
      this.early = !state || state.paused ? null : state;
      return;
    }
    if (!state) {
      this.leaveTo(null);
      return;
    }
    const song = state.track_window?.current_track;
    if (song && !this.isOurs(song, state.paused)) {
      if (this.isHeard) {
        this.leaveTo(song);
      }
      return;
    }
    const wasAtEnd = this.isAtEnd();
    this.isHeard ||= !state.paused;
    this.durationMs = state.duration || this.durationMs;
    this.ticker.set(state.position, !state.paused);
    const hasEnded = state.paused && state.position === 0 && wasAtEnd;
    this.listen(this, { isRunning: !state.paused, isPaused: state.paused, hasEnded });
  }

  isAtEnd() {
    return this.durationMs > 0 && this.ticker.ms > this.durationMs - END_MS;
  }

  // Spotify may play another edition than the one asked for: it names ours, or is the first that is heard.
  isOurs(song, isPaused) {
    const uri = this.track.means.spotify;
    const ids = [song.uri, song.id && `spotify:track:${song.id}`, song.linked_from?.uri];
    if (ids.includes(uri) || song.uri === this.playedAs) {
      return true;
    }
    if (!this.isHeard && !isPaused && song.uri !== this.before) {
      this.playedAs = song.uri;
      return true;
    }
    return false;
  }

  // Another song plays here, or another device took over. After the end of our song that is Spotify going on by itself.
  leaveTo(song) {
    const hasEnded = this.isAtEnd();
    this.ticker.set(hasEnded ? this.durationMs : this.ticker.ms, false);
    this.hasBegun = false;
    if (hasEnded && song) {
      this.player.pause();
    }
    const elsewhere = song ? { title: song.name, artists: song.artists?.map(({ name }) => name).join(", ") ?? "" } : {};
    this.listen(this, { isRunning: false, isPaused: true, hasEnded, elsewhere: hasEnded ? null : elsewhere });
  }

  // Inside the click that asks for sound, as browsers want it.
  activate() {
    this.player?.activateElement?.();
  }

  async play() {
    if (this.hasBegun) {
      await this.player.resume();
      return;
    }
    this.activate();
    this.early = null;
    this.isHeard = false;
    this.before = (await this.player.getCurrentState?.().catch(() => null))?.track_window?.current_track?.uri;
    const values = { action: "start", device: this.deviceId, track: this.track.id };
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
    clearTimeout(this.patience);
    this.timer = null;
    this.isLost = false;
    this.playedAs = null;
    // What the listener plays there themselves goes on.
    if (this.hasBegun) {
      this.player?.pause();
    }
    this.hasBegun = false;
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
