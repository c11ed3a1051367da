// A file through the bar's audio element: a preview or a sketch.
const EVENTS = ["playing", "pause", "waiting", "seeking", "seeked", "ended", "timeupdate", "durationchange", "emptied"];

export class AudioMeans {
  constructor(name, element, listen) {
    this.name = name;
    this.element = element;
    this.isLoaded = false;
    for (const event of EVENTS) {
      element.addEventListener(event, () => this.isLoaded && this.tell(event));
    }
    element.addEventListener("error", () => this.isLoaded && listen(this, { failed: true }));
    this.listen = listen;
  }

  canPlay(track) {
    return Boolean(track.means[this.name]);
  }

  async load(track, startMs) {
    this.isLoaded = true;
    this.element.src = track.means[this.name];
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

  tell(event) {
    const { paused, ended, seeking, readyState } = this.element;
    const isRunning = !paused && !ended && !seeking && readyState >= 3;
    this.listen(this, { isRunning, isPaused: paused, hasEnded: event === "ended" });
  }
}
