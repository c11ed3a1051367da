// Controls the active device of the listener's Spotify account through the site.
import { postSpotify, texts } from "../api.js";
import { Ticker } from "./ticker.js";

const TICK_MS = 500;
// The listener may pause it, seek or start another song there, so it is polled.
const POLL_MS = 5000;

export class DeviceBackend {
  constructor(connection, onUpdate) {
    this.name = "device";
    this.isSpotify = true;
    this.connection = connection;
    this.onUpdate = onUpdate;
    this.ticker = new Ticker();
    this.durationMs = 0;
    this.isUnavailable = false;
  }

  canPlay(track) {
    return Boolean(track.sources.spotify) && this.connection().connected && !this.isUnavailable;
  }

  async load(track, startMs) {
    const { devices } = await postSpotify("devices");
    const device = devices.find((each) => each.is_active);
    if (!device) {
      throw Object.assign(new Error(devices.length ? texts.no_active_device : ""), { isUserFacing: true });
    }
    this.device = device.id;
    this.track = track;
    this.durationMs = track.duration_ms ?? 0;
    this.hasBegun = false;
    this.playedId = "";
    this.ticker.set(startMs, false);
  }

  async play() {
    if (this.hasBegun) {
      await this.command("resume");
    } else {
      await this.command("start", { track: this.track.id, position_ms: Math.round(this.ticker.ms) });
      this.hasBegun = true;
      this.playedId = "";
    }
    this.ticker.set(this.ticker.ms, true);
    this.tickTimer ??= setInterval(() => this.tick(), TICK_MS);
    this.pollTimer ??= setInterval(() => this.poll(), POLL_MS);
    this.emit();
  }

  async pause() {
    await this.command("pause");
    this.ticker.set(this.ticker.ms, false);
    this.emit();
  }

  async seek(ms) {
    await this.command("seek", { position_ms: Math.round(ms) });
    this.ticker.set(ms, this.ticker.isRunning);
  }

  async command(action, values = {}) {
    this.commandedAt = performance.now();
    try {
      await postSpotify("command", { action, device: this.device, ...values });
    } catch (error) {
      // Without Premium no song plays there, so this page does not try again.
      this.isUnavailable ||= error.reason === "premium";
      if (action === "pause" && error.reason === "restricted") {
        // It is paused already.
        return;
      }
      throw error;
    }
  }

  async poll() {
    const [commandedAt, wasRunning] = [this.commandedAt, this.ticker.isRunning];
    const playback = wasRunning && await postSpotify("now").catch((error) => this.handleError(error));
    if (!playback || commandedAt !== this.commandedAt || !this.tickTimer) {
      return;
    }
    const ourId = this.track.sources.spotify.replace(/.*:/, "");
    // Spotify may play another edition than the requested one: the reply names ours, or it is the first one played.
    this.playedId ||= playback.is_playing && playback.track !== ourId ? playback.track : "";
    const playedIds = [playback.track, playback.played_as];
    const isOurs = playback.track !== "" && [ourId, this.playedId].some((id) => id && playedIds.includes(id));
    if (isOurs) {
      this.device = playback.device || this.device;
      this.ticker.set(playback.position_ms, playback.is_playing);
      this.emit();
    } else if (this.durationMs === 0 || this.ticker.ms < this.durationMs - POLL_MS) {
      // Something else plays there, or nothing: pressing play starts ours again at the same position.
      this.ticker.set(this.ticker.ms, false);
      this.hasBegun = false;
      this.emit(false, playback.track ? { title: playback.title, artists: playback.artists } : {});
    }
  }

  // An expired connection is shown to the listener; a temporary error is not.
  handleError(error) {
    if (error.reason === "reconnect" || error.reason === "not_connected") {
      this.stop();
      this.onUpdate(this, { failed: true, reason: error.message });
    }
    return null;
  }

  tick() {
    const hasEnded = this.durationMs > 0 && this.ticker.ms >= this.durationMs;
    if (hasEnded) {
      this.stop();
    }
    this.emit(hasEnded);
  }

  emit(hasEnded = false, elsewhere = null) {
    this.onUpdate(this, { isRunning: this.ticker.isRunning, isPaused: !this.ticker.isRunning, hasEnded, elsewhere });
  }

  stop() {
    clearInterval(this.tickTimer);
    clearInterval(this.pollTimer);
    this.tickTimer = this.pollTimer = null;
    this.ticker.set(this.ticker.ms, false);
  }

  unload() {
    // Whatever the listener started there themselves goes on.
    const isRunning = this.ticker.isRunning && this.hasBegun;
    this.stop();
    if (isRunning) {
      this.command("pause").catch(() => {});
    }
    this.ticker.set(0, false);
  }

  setVolume() {
    // The device has its own.
  }

  get positionMs() {
    return this.ticker.ms;
  }
}
