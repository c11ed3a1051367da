// Plays a file (a preview or a sketch) through the bar's audio element.
const EVENTS = ["playing", "pause", "waiting", "seeking", "seeked", "ended", "timeupdate", "durationchange", "emptied"];

export class AudioBackend {
  constructor(name, element, onUpdate) {
    this.name = name;
    this.element = element;
    this.isLoaded = false;
    for (const event of EVENTS) {
      element.addEventListener(event, () => this.isLoaded && this.emit(event));
    }
    // Two backends share the element: what one of them reacts to is no news for the next.
    element.addEventListener("error", () => this.isLoaded && element.error && onUpdate(this, { failed: true }));
    this.onUpdate = onUpdate;
  }

  canPlay(track) {
    return Boolean(track.sources[this.name]);
  }

  async load(track, startMs) {
    this.isLoaded = true;
    this.element.src = track.sources[this.name];
    if (startMs) {
      this.element.currentTime = startMs / 1000;
    }
  }

  unload() {
    this.isLoaded = false;
    this.element.pause();
    this.element.removeAttribute("src");
  }

  async play() {
    await this.element.play();
  }

  async pause() {
    this.element.pause();
  }

  async seek(ms) {
    this.element.currentTime = ms / 1000;
  }

  setVolume(share) {
    this.element.volume = share;
  }

  get positionMs() {
    return this.element.currentTime * 1000;
  }

  get durationMs() {
    return Number.isFinite(this.element.duration) ? this.element.duration * 1000 : 0;
  }

  emit(event) {
    const { paused, ended, seeking, readyState } = this.element;
    const isRunning = !paused && !ended && !seeking && readyState >= 3;
    this.onUpdate(this, { isRunning, isPaused: paused, hasEnded: event === "ended" });
  }
}
