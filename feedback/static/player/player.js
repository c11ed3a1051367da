// The playback engine: plays the queue's current song through the best backend available. Pages and shortcuts call its
// methods; it emits the events "song", "state", "time", "seek", "backend" and "note".
import { RequestError, fetchState, postQueue, texts } from "./api.js";
import { interpolate } from "./format.js";
import { Play } from "./play.js";
import { clearSession, loadSession, saveSession } from "./session-state.js";

// Up to this position "previous" means the previous song, later the start of this one.
const RESTART_MS = 4000;
// A sketch is shorter than the song: a position so near its end, or beyond it, is none to go to.
const END_MS = 3000;
// A song counts as completed from this share on.
const COMPLETED_SHARE = 0.9;

export class Player extends EventTarget {
  constructor(createBackends) {
    super();
    this.backends = createBackends((backend, update) => this.onUpdate(backend, update));
    this.state = null;
    this.active = null;
    this.currentPlay = null;
    this.isRunning = false;
    this.shouldPlay = false;
    this.volume = 1;
    // The name of this page, so that the page that played before hears at once that this one plays now.
    this.device = "";
    // Where the song starts once the listener presses play, while no backend may be loaded before.
    this.pendingMs = 0;
    // Where another page or program has come to with the current song, and when that was told.
    this.remote = null;
  }

  get current() {
    return this.state?.current ?? null;
  }

  get positionMs() {
    return this.active?.positionMs ?? this.pendingMs;
  }

  // The position to show: the other's, while another page or program has the song, with the time since it was told.
  get shownMs() {
    if (!this.remote || this.isRunning) {
      return this.positionMs;
    }
    const { ms, at, isPlaying } = this.remote;
    return Math.min(ms + (isPlaying ? performance.now() - at : 0), this.durationMs || Infinity);
  }

  get durationMs() {
    return this.active?.durationMs || this.current?.track.duration_ms || 0;
  }

  emit(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // After a page load: the song that played is at its saved position and waits for a press of play.
  async restore() {
    const state = await fetchState();
    const saved = state.current && loadSession(state.current.item);
    await this.applyState(state, { wantsPlay: false, saved });
  }

  // Another device may have changed the queue while this page was suspended.
  async refresh() {
    if (!this.isRunning) {
      const state = await fetchState();
      if (!this.isRunning && state.current?.item !== this.current?.item) {
        await this.applyState(state, { wantsPlay: false });
      } else if (!this.isRunning) {
        this.setState(state);
      }
    }
  }

  // Take over a state that changes nothing about the playback of the current song.
  setState(state) {
    this.state = state;
    this.emit("song");
  }

  async applyState(state, { wantsPlay, saved = null, outcome = "skipped" }) {
    if (wantsPlay && !state.current) {
      this.emit("note", { text: texts.ended });
    }
    const isSame = state.current && state.current.item === this.current?.item;
    this.state = state;
    if (isSame && this.active && !this.currentPlay?.isOver) {
      this.emit("song");
      if (wantsPlay) {
        await this.resume();
      }
      return;
    }
    this.endPlay(outcome);
    this.emit("song");
    if (state.current) {
      this.currentPlay = new Play(state.current.track.id, saved);
      this.shouldPlay = wantsPlay;
      await this.startSong(0, saved?.position ?? 0);
    }
  }

  // Try the backends from the `first` on, in order of preference. One that failed may now return false from `canPlay`.
  async startSong(first, startMs, failure = "") {
    const { track } = this.current;
    const play = this.currentPlay;
    const wantsPlay = this.shouldPlay;
    const candidates = this.backends.slice(first).filter((backend) => backend.canPlay(track));
    let reason = failure;
    this.pendingMs = startMs;
    if (!wantsPlay && candidates[0]?.isSpotify) {
      // Nothing is loaded from Spotify before the listener presses play.
      this.emit("backend", { name: candidates[0].name });
      this.emit("time");
      return;
    }
    for (const backend of candidates) {
      this.active?.unload();
      this.active = backend;
      this.emit("backend", { name: backend.name });
      try {
        backend.setVolume(this.volume);
        // Positions of the recording do not apply to a preview or a sketch.
        await backend.load(track, backend.isSpotify || startMs === 0 || !reason ? startMs : 0);
        if (play !== this.currentPlay) {
          return;
        }
        if (wantsPlay) {
          await backend.play();
        }
        return;
      } catch (error) {
        if (play !== this.currentPlay || error.name === "AbortError") {
          return;
        }
        if (error.name === "NotAllowedError") {
          this.shouldPlay = false;
          this.emit("note", { text: texts.blocked });
          this.emit("state");
          return;
        }
        if (error.isUserFacing && error.message) {
          // The first reason is shown while the next backend is tried.
          reason ||= error.message;
          this.emit("note", { text: reason });
        }
      }
    }
    this.active?.unload();
    this.active = null;
    this.shouldPlay = false;
    this.emit("note", { text: [texts.unplayable, reason].filter(Boolean).join(" ") });
    this.emit("state");
  }

  onUpdate(backend, update) {
    if (backend !== this.active) {
      return;
    }
    if (update.failed) {
      this.fallBack(backend, update.reason);
      return;
    }
    this.setRunning(update.isRunning);
    if (update.isPaused !== undefined && !update.hasEnded) {
      this.shouldPlay = !update.isPaused;
    }
    this.emit("time");
    if (update.needsClick) {
      this.emit("note", { text: texts.blocked });
    } else if (update.elsewhere) {
      this.emit("note", { text: this.elsewhereText(update.elsewhere), offersHere: true });
    }
    if (update.hasEnded && !this.currentPlay.isOver) {
      this.currentPlay.finish("completed");
      if (this.sleep?.shouldStopAfterSong()) {
        this.shouldPlay = false;
        this.emit("state");
      } else {
        this.next("completed");
      }
    }
  }

  elsewhereText({ title, artists }) {
    return title ? interpolate(texts.elsewhere, { song: title, artists }) : texts.other_device;
  }

  // The next backend goes on at the position where this one failed, if both play the recording.
  fallBack(backend, reason) {
    const positionMs = this.positionMs;
    this.setRunning(false);
    this.emit("note", { text: reason || "" });
    const following = this.backends.indexOf(backend) + 1;
    const next = this.backends.slice(following).find((each) => each.canPlay(this.current.track));
    this.startSong(following, next?.isSpotify ? positionMs : 0, reason);
  }

  setRunning(isRunning) {
    this.currentPlay?.setRunning(isRunning, this.positionMs);
    if (isRunning !== this.isRunning) {
      this.isRunning = isRunning;
      this.emit("state");
    }
  }

  endPlay(outcome) {
    this.currentPlay?.tick(this.positionMs);
    const isCompleted = this.durationMs > 0 && this.currentPlay?.playedMs >= COMPLETED_SHARE * this.durationMs;
    this.currentPlay?.finish(isCompleted ? "completed" : outcome);
    this.setRunning(false);
    this.active?.unload();
    this.active = null;
    this.pendingMs = 0;
    this.currentPlay = null;
    clearSession();
  }

  async resume() {
    this.shouldPlay = true;
    this.emit("note", { text: "" });
    await this.goToRemote();
    if (!this.active) {
      await (this.current ? this.startSong(0, this.pendingMs) : this.next());
      return;
    }
    const backend = this.active;
    try {
      await backend.play();
    } catch (error) {
      if (error.name === "NotAllowedError") {
        this.emit("note", { text: texts.blocked });
      } else if (error.name !== "AbortError" && backend === this.active) {
        this.fallBack(backend, error.isUserFacing ? error.message : "");
      }
    }
  }

  isWithin(ms) {
    return ms < this.durationMs - END_MS;
  }

  // Go on where the other page or program is, unless this page has less of the song.
  async goToRemote() {
    const { shownMs, remote } = this;
    this.remote = null;
    if (remote && (!this.active || this.isWithin(shownMs))) {
      await this.moveTo(shownMs);
    }
  }

  async pause() {
    this.shouldPlay = false;
    // Set at once: a second press before the backend's own update would pause again.
    this.setRunning(false);
    try {
      await this.active?.pause();
    } catch (error) {
      if (error.isUserFacing) {
        this.emit("note", { text: error.message });
      }
    }
  }

  toggle() {
    return this.isRunning || (this.shouldPlay && this.active) ? this.pause() : this.resume();
  }

  async next(outcome = "skipped") {
    await this.playFrom("next", { after: this.current?.item }, outcome);
  }

  async previous() {
    if (this.current && (this.positionMs > RESTART_MS || !this.state.has_previous)) {
      await this.seek(0);
      return;
    }
    await this.playFrom("previous");
  }

  // Change the queue, then play its current song.
  async playFrom(name, values = {}, outcome = "skipped") {
    this.emit("note", { text: "" });
    const state = await this.request(name, { ...values, device: this.device });
    if (state) {
      await this.applyState(state, { wantsPlay: true, outcome });
    }
  }

  // Change the queue without affecting the current song.
  async change(name, values = {}) {
    const state = await this.request(name, values);
    if (state) {
      this.setState(state);
    }
    return Boolean(state);
  }

  async request(name, values) {
    try {
      return await postQueue(name, values);
    } catch (error) {
      // Without a network the error is the browser's own, in words for programmers.
      this.emit("note", { text: error instanceof RequestError ? error.message : texts.failed });
      return null;
    }
  }

  // A jump of the listener's, which other pages and programs are told.
  async seek(ms) {
    await this.moveTo(ms);
    this.emit("seek");
  }

  async moveTo(ms) {
    const target = Math.min(Math.max(0, ms), this.durationMs || ms);
    this.remote = null;
    if (!this.active) {
      this.pendingMs = target;
    }
    try {
      await this.active?.seek(target);
    } catch (error) {
      this.emit("note", { text: error.isUserFacing ? error.message : texts.failed });
    }
    this.emit("time");
  }

  setVolume(share) {
    this.volume = share;
    this.active?.setVolume(share);
  }

  // The page may be closing: report what has played so far, and save it in case the page comes back.
  onPageHide() {
    if (this.currentPlay && !this.currentPlay.isOver) {
      this.currentPlay.tick(this.positionMs);
      this.currentPlay.report("started", true);
      this.saveSession();
    }
  }

  saveSession() {
    if (this.currentPlay?.hasStarted && this.current) {
      this.currentPlay.tick(this.positionMs);
      saveSession(this.current.item, { ...this.currentPlay.save(), position: this.positionMs });
    }
  }
}
