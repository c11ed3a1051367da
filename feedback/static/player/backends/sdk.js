// Spotify's Web Playback SDK: this browser becomes a device of the listener's account. Premium, and no phones.
import { postSpotify, texts } from "../api.js";
import { loadScript, Ticker, withTimeout } from "./ticker.js";

const SCRIPT = "https://sdk.scdn.co/spotify-player.js";
const TIMEOUT_MS = 10_000;
const TICK_MS = 500;
// A song this near its end has ended when another one begins.
const END_MS = 2000;
const PHONE = /Mobi|Android|iPhone|iPad/;

export class SdkBackend {
  constructor(connection, onUpdate) {
    this.name = "sdk";
    this.isSpotify = true;
    this.connection = connection;
    this.onUpdate = onUpdate;
    this.ticker = new Ticker();
    this.durationMs = 0;
    this.isUnavailable = PHONE.test(navigator.userAgent) || !isSecureContext || !navigator.requestMediaKeySystemAccess;
  }

  canPlay(track) {
    return Boolean(track.sources.spotify) && this.connection().streams && !this.isUnavailable;
  }

  async load(track, startMs) {
    this.device ??= this.connect().catch((error) => {
      // Whatever the reason (no Premium, no DRM, blocked), this page does not try again.
      this.isUnavailable = true;
      throw error;
    });
    this.deviceId = await this.device;
    this.track = track;
    this.durationMs = track.duration_ms ?? 0;
    this.hasBegun = false;
    this.hasSounded = false;
    this.ticker.set(startMs, false);
  }

  async connect() {
    const isReady = new Promise((resolve) => { window.onSpotifyWebPlaybackSDKReady = resolve; });
    await withTimeout(TIMEOUT_MS, Promise.all([loadScript(SCRIPT), isReady]));
    this.player = new window.Spotify.Player({
      name: document.querySelector(".brand")?.textContent.trim() || document.title,
      getOAuthToken: (callback) => postSpotify("token").then(({ token }) => callback(token), () => {}),
      volume: this.volume ?? 1,
    });
    this.player.addListener("player_state_changed", (state) => this.update(state));
    this.player.addListener("autoplay_failed", () => this.onAutoplayFailed());
    this.player.addListener("not_ready", () => this.onNotReady());
    this.player.addListener("playback_error", () => this.fail(texts.sdk_failed));
    return withTimeout(TIMEOUT_MS, new Promise((resolve, reject) => {
      this.player.addListener("ready", ({ device_id: id }) => {
        resolve(id);
        this.onReady(id);
      });
      for (const name of ["initialization_error", "authentication_error", "account_error"]) {
        this.player.addListener(name, async () => {
          const reason = await this.reasonOf(name);
          reject(Object.assign(new Error(reason), { isUserFacing: true }));
          // This may also happen later, if the connection is revoked on Spotify or Premium expires during a song.
          this.isUnavailable = true;
          this.fail(reason);
        });
      }
      this.player.connect();
    }));
  }

  // The SDK gives no useful reason; the site knows whether the connection has expired.
  async reasonOf(name) {
    if (name === "authentication_error") {
      return postSpotify("token").then(() => texts.sdk_failed, (error) => error.message);
    }
    return name === "account_error" ? texts.needs_premium : "";
  }

  fail(reason) {
    if (this.hasBegun) {
      this.hasBegun = false;
      this.onUpdate(this, { failed: true, reason });
    }
  }

  // The browser allows no sound before a click.
  onAutoplayFailed() {
    this.hasBegun = false;
    this.ticker.set(this.ticker.ms, false);
    this.onUpdate(this, { isRunning: false, isPaused: true, needsClick: true });
  }

  // The device is gone, often only for a moment. The position is kept until it is back under another ID.
  onNotReady() {
    if (!this.hasBegun) {
      this.device = null;
      return;
    }
    this.isLost = true;
    this.wasRunning = this.ticker.isRunning;
    this.ticker.set(this.ticker.ms, false);
    this.onUpdate(this, { isRunning: false, isPaused: false });
    this.lostTimer = setTimeout(() => {
      this.device = null;
      this.isLost = false;
      this.fail(texts.sdk_lost);
    }, TIMEOUT_MS);
  }

  async onReady(id) {
    this.deviceId = id;
    this.device = Promise.resolve(id);
    clearTimeout(this.lostTimer);
    if (this.isLost) {
      this.isLost = false;
      this.hasBegun = false;
      if (this.wasRunning) {
        await this.play().catch((error) => this.onUpdate(this, { failed: true, reason: error.message }));
      }
    }
  }

  update(state) {
    if (!this.track || this.isLost) {
      return;
    }
    if (!this.hasBegun) {
      // The song may start before our own server has responded. The previous song is reported as paused.
      this.pendingState = !state || state.paused ? null : state;
      return;
    }
    if (!state) {
      this.onOtherTrack(null);
      return;
    }
    const song = state.track_window?.current_track;
    if (song && !this.isOurs(song, state.paused)) {
      if (this.hasSounded) {
        this.onOtherTrack(song);
      }
      return;
    }
    const wasAtEnd = this.isAtEnd();
    this.hasSounded ||= !state.paused;
    this.durationMs = state.duration || this.durationMs;
    this.ticker.set(state.position, !state.paused);
    const hasEnded = state.paused && state.position === 0 && wasAtEnd;
    this.onUpdate(this, { isRunning: !state.paused, isPaused: state.paused, hasEnded });
  }

  isAtEnd() {
    return this.durationMs > 0 && this.ticker.ms > this.durationMs - END_MS;
  }

  // Spotify may play another edition than the requested one: the state names ours, or it is the first one played.
  isOurs(song, isPaused) {
    const uri = this.track.sources.spotify;
    const ids = [song.uri, song.id && `spotify:track:${song.id}`, song.linked_from?.uri];
    if (ids.includes(uri) || song.uri === this.playedUri) {
      return true;
    }
    if (!this.hasSounded && !isPaused && song.uri !== this.previousUri) {
      this.playedUri = song.uri;
      return true;
    }
    return false;
  }

  // Another song plays here, or another device took over. After the end of our song that is Spotify going on by itself.
  onOtherTrack(song) {
    const hasEnded = this.isAtEnd();
    this.ticker.set(hasEnded ? this.durationMs : this.ticker.ms, false);
    this.hasBegun = false;
    if (hasEnded && song) {
      this.player.pause();
    }
    const elsewhere = song ? { title: song.name, artists: song.artists?.map(({ name }) => name).join(", ") ?? "" } : {};
    this.onUpdate(this, { isRunning: false, isPaused: true, hasEnded, elsewhere: hasEnded ? null : elsewhere });
  }

  // Browsers require this during the click that starts playback.
  activate() {
    this.player?.activateElement?.();
  }

  async play() {
    if (this.hasBegun) {
      await this.player.resume();
      return;
    }
    this.activate();
    this.pendingState = null;
    this.hasSounded = false;
    this.previousUri = (await this.player.getCurrentState?.().catch(() => null))?.track_window?.current_track?.uri;
    const values = { action: "start", device: this.deviceId, track: this.track.id };
    await postSpotify("command", { ...values, position_ms: Math.round(this.ticker.ms) });
    this.hasBegun = true;
    this.tickTimer ??= setInterval(() => this.ticker.isRunning && this.onUpdate(this, { isRunning: true, isPaused: false }), TICK_MS);
    if (this.pendingState) {
      this.update(this.pendingState);
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
    clearInterval(this.tickTimer);
    clearTimeout(this.lostTimer);
    this.tickTimer = null;
    this.isLost = false;
    this.playedUri = null;
    // Whatever the listener started there themselves goes on.
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
