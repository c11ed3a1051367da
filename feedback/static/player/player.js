// What plays: the queue's current song through the best means there is. Pages and keys call its methods; it tells who
// listens by the events "song", "state", "time" and "note".
import { ask, readState, texts } from "./api.js";
import { fill } from "./format.js";
import { Play } from "./play.js";
import { forget, recall, remember } from "./session-state.js";

// Up to here "previous" means the song before, later the start of this one.
const RESTART_MS = 4000;
// So much of a song heard is all of it.
const WHOLE = 0.9;

export class Player extends EventTarget {
  constructor(makeMeans) {
    super();
    this.means = makeMeans((means, news) => this.hear(means, news));
    this.state = null;
    this.active = null;
    this.play_ = null;
    this.isRunning = false;
    this.isWanted = false;
    this.volume = 1;
    // Where the song is to begin once somebody asks for sound, where nothing may be loaded before.
    this.waitsAtMs = 0;
  }

  get current() {
    return this.state?.current ?? null;
  }

  get positionMs() {
    return this.active?.positionMs ?? this.waitsAtMs;
  }

  get durationMs() {
    return this.active?.durationMs || this.current?.track.duration_ms || 0;
  }

  tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }

  // After a page load: the song that played, where it was, waiting for a press of play.
  async restore() {
    const state = await readState();
    const saved = state.current && recall(state.current.item);
    await this.show(state, { wantsPlay: false, saved });
  }

  // Another device may have moved on while this page slept.
  async refresh() {
    if (!this.isRunning) {
      const state = await readState();
      if (!this.isRunning && state.current?.item !== this.current?.item) {
        await this.show(state, { wantsPlay: false });
      } else if (!this.isRunning) {
        this.state = state;
        this.tell("song");
      }
    }
  }

  // The queue is as it was, or what it says of this song is no news for the sound.
  accept(state) {
    this.state = state;
    this.tell("song");
  }

  async show(state, { wantsPlay, saved = null, outcome = "skipped" }) {
    if (wantsPlay && !state.current) {
      this.tell("note", { text: texts.ended });
    }
    const isSame = state.current && state.current.item === this.current?.item;
    this.state = state;
    if (isSame && this.active && !this.play_?.isOver) {
      this.tell("song");
      if (wantsPlay) {
        await this.resume();
      }
      return;
    }
    this.leave(outcome);
    this.tell("song");
    if (state.current) {
      this.play_ = new Play(state.current.track.id, saved);
      this.isWanted = wantsPlay;
      await this.begin(0, saved?.position ?? 0);
    }
  }

  // Try the means from the `first` on, the best one first. What failed may now say that it can play nothing.
  async begin(first, startMs, failure = "") {
    const { track } = this.current;
    const play = this.play_;
    const wantsPlay = this.isWanted;
    const able = this.means.slice(first).filter((means) => means.canPlay(track));
    let reason = failure;
    this.waitsAtMs = startMs;
    if (!wantsPlay && able[0]?.isSpotify) {
      // Nothing of Spotify is loaded before somebody asks for sound.
      this.tell("means", { name: able[0].name });
      this.tell("time");
      return;
    }
    for (const means of able) {
      this.active?.unload();
      this.active = means;
      this.tell("means", { name: means.name });
      try {
        means.setVolume(this.volume);
        // An excerpt and a sketch have times of their own.
        await means.load(track, means.isSpotify || startMs === 0 || !reason ? startMs : 0);
        if (play !== this.play_) {
          return;
        }
        if (wantsPlay) {
          await means.play();
        }
        return;
      } catch (error) {
        if (play !== this.play_ || error.name === "AbortError") {
          return;
        }
        if (error.name === "NotAllowedError") {
          this.isWanted = false;
          this.tell("note", { text: texts.blocked });
          this.tell("state");
          return;
        }
        if (error.isTold && error.message) {
          // Said at the song, the first of them; the next means is tried.
          reason ||= error.message;
          this.tell("note", { text: reason });
        }
      }
    }
    this.active?.unload();
    this.active = null;
    this.isWanted = false;
    this.tell("note", { text: [texts.unplayable, reason].filter(Boolean).join(" ") });
    this.tell("state");
  }

  hear(means, news) {
    if (means !== this.active) {
      return;
    }
    if (news.failed) {
      this.fallBack(means, news.reason);
      return;
    }
    this.setRunning(news.isRunning);
    if (news.isPaused !== undefined && !news.hasEnded) {
      this.isWanted = !news.isPaused;
    }
    this.tell("time");
    if (news.needsClick) {
      this.tell("note", { text: texts.blocked });
    } else if (news.elsewhere) {
      this.tell("note", { text: this.elsewhereText(news.elsewhere), offersHere: true });
    }
    if (news.hasEnded && !this.play_.isOver) {
      this.play_.finish("completed");
      if (this.sleep?.endsWithSong()) {
        this.isWanted = false;
        this.tell("state");
      } else {
        this.next("completed");
      }
    }
  }

  elsewhereText({ title, artists }) {
    return title ? fill(texts.elsewhere, { song: title, artists }) : texts.other_device;
  }

  // The next means goes on where this one failed, as far as it has the same times.
  fallBack(means, reason) {
    const positionMs = this.positionMs;
    this.setRunning(false);
    this.tell("note", { text: reason || "" });
    const next = this.means.slice(this.means.indexOf(means) + 1).find((each) => each.canPlay(this.current.track));
    this.begin(this.means.indexOf(means) + 1, next?.isSpotify ? positionMs : 0, reason);
  }

  setRunning(isRunning) {
    this.play_?.setRunning(isRunning, this.positionMs);
    if (isRunning !== this.isRunning) {
      this.isRunning = isRunning;
      this.tell("state");
    }
  }

  leave(outcome) {
    this.play_?.look(this.positionMs);
    const isWhole = this.durationMs > 0 && this.play_?.msHeard >= WHOLE * this.durationMs;
    this.play_?.finish(isWhole ? "completed" : outcome);
    this.setRunning(false);
    this.active?.unload();
    this.active = null;
    this.waitsAtMs = 0;
    this.play_ = null;
    forget();
  }

  async resume() {
    this.isWanted = true;
    this.tell("note", { text: "" });
    if (!this.active) {
      await (this.current ? this.begin(0, this.waitsAtMs) : this.next());
      return;
    }
    const means = this.active;
    try {
      await means.play();
    } catch (error) {
      if (error.name === "NotAllowedError") {
        this.tell("note", { text: texts.blocked });
      } else if (error.name !== "AbortError" && means === this.active) {
        this.fallBack(means, error.isTold ? error.message : "");
      }
    }
  }

  async pause() {
    this.isWanted = false;
    // Said at once: a second press that comes before the player's own word would pause again.
    this.setRunning(false);
    try {
      await this.active?.pause();
    } catch (error) {
      if (error.isTold) {
        this.tell("note", { text: error.message });
      }
    }
  }

  toggle() {
    return this.isRunning || (this.isWanted && this.active) ? this.pause() : this.resume();
  }

  async next(outcome = "skipped") {
    await this.move("next", { after: this.current?.item }, outcome);
  }

  async previous() {
    if (this.current && (this.positionMs > RESTART_MS || !this.state.has_previous)) {
      await this.seek(0);
      return;
    }
    await this.move("previous");
  }

  // Any change of the queue after which its current song is to be heard.
  async move(name, values = {}, outcome = "skipped") {
    this.tell("note", { text: "" });
    const state = await this.ask(name, values);
    if (state) {
      await this.show(state, { wantsPlay: true, outcome });
    }
  }

  // A change of the queue that leaves the song alone.
  async change(name, values = {}) {
    const state = await this.ask(name, values);
    if (state) {
      this.state = state;
      this.tell("song");
    }
    return Boolean(state);
  }

  async ask(name, values) {
    try {
      return await ask(name, values);
    } catch (error) {
      this.tell("note", { text: error.name === "Error" || error.message ? error.message : texts.failed });
      return null;
    }
  }

  async seek(ms) {
    const target = Math.min(Math.max(0, ms), this.durationMs || ms);
    if (!this.active) {
      this.waitsAtMs = target;
    }
    try {
      await this.active?.seek(target);
    } catch (error) {
      this.tell("note", { text: error.isTold ? error.message : texts.failed });
    }
    this.tell("time");
  }

  setVolume(share) {
    this.volume = share;
    this.active?.setVolume(share);
  }

  // The page goes, perhaps for good: what was heard so far is told, and kept in case it comes back.
  pageGoes() {
    if (this.play_ && !this.play_.isOver) {
      this.play_.look(this.positionMs);
      this.play_.tell("started", true);
      this.keep();
    }
  }

  keep() {
    if (this.play_?.hasStarted && this.current) {
      this.play_.look(this.positionMs);
      remember(this.current.item, { ...this.play_.save(), position: this.positionMs });
    }
  }
}
