// Polls the queue's state, so that this page follows other pages and programs within two seconds, and reports its own
// playback.
import { fetchStateChange, reportPlaying, texts } from "./api.js";
import { interpolate } from "./format.js";

const POLL_MS = 1500;
// While the site does not answer, each pause is twice as long as the one before, up to this.
const LONGEST_POLL_MS = 30_000;
// Between two songs playback stops and starts within moments, so only a state that lasts is reported.
const SETTLE_MS = 400;
// Two positions that differ by more are a jump, not a delay.
const JUMP_MS = 3000;
// Where another page is in the song, this one shows so often.
const SHOWN_MS = 1000;
// A page that was closed while it played can't say so. Its song would have been over for so long.
const OVER_MS = 120_000;
const BROWSER_NAME = "Browser ";

function newDeviceName() {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => byte.toString(16).padStart(2, "0"));
  return `${BROWSER_NAME}${digits.join("")}`;
}

// This tab keeps its name when the page is loaded anew.
function deviceName() {
  try {
    sessionStorage.player_name ??= newDeviceName();
    return sessionStorage.player_name;
  } catch {
    return newDeviceName();
  }
}

function isOver({ current, position_ms: ms }) {
  const length = current.track.duration_ms;
  return Boolean(length) && ms > length + OVER_MS;
}

// What another page or program plays is named, beside the button that plays it here.
function remotePlayback(state, device) {
  if (!state.current || !state.is_playing || !state.device || state.device === device || isOver(state)) {
    return "";
  }
  const isBrowser = state.device.startsWith(BROWSER_NAME);
  return isBrowser ? texts.plays_in_browser : interpolate(texts.plays_on, { device: state.device });
}

export function connectSync(player) {
  const device = deviceName();
  player.device = device;
  let reportedPlaying = false;
  let reportTimer = null;
  let remoteText = "";
  let hasSeeked = false;

  async function report() {
    reportTimer = null;
    const { state } = player;
    const hasFailed = !player.isRunning && !player.shouldPlay && state?.is_playing && state.device === device;
    const isNews = player.isRunning !== reportedPlaying || hasFailed || hasSeeked;
    hasSeeked = false;
    if (player.current && isNews) {
      const before = reportedPlaying;
      reportedPlaying = player.isRunning;
      const position = Math.round(player.positionMs);
      try {
        player.setState(await reportPlaying({ playing: reportedPlaying, song_ms: position, device }));
        showRemote(player.state);
      } catch {
        // Reported after the next poll that is answered.
        reportedPlaying = before;
      }
    }
  }

  function reportSoon() {
    clearTimeout(reportTimer);
    reportTimer = setTimeout(report, SETTLE_MS);
  }

  player.addEventListener("state", reportSoon);
  // A jump on a page that only follows is nobody's but its own.
  player.addEventListener("seek", () => {
    if (player.isRunning || player.state?.device === device) {
      hasSeeked = true;
      reportSoon();
    }
  });
  setInterval(() => player.remote && !player.isRunning && player.emit("time"), SHOWN_MS);

  function showRemote(state) {
    const text = player.isRunning ? "" : remotePlayback(state, device);
    const isRemote = state.current && state.device !== device && !player.isRunning;
    const { position_ms: ms, is_playing: isPlaying } = state;
    player.remote = isRemote ? { ms, at: performance.now(), isPlaying } : null;
    player.emit("time");
    if (text !== remoteText) {
      remoteText = text;
      player.emit("note", { text, offersHere: Boolean(text) });
    }
  }

  async function followState(state) {
    const isOurs = state.device === device;
    const hasChanged = state.song_ms_at !== player.state?.song_ms_at;
    if (state.current?.item !== player.current?.item) {
      reportedPlaying = state.is_playing && isOurs;
      await player.applyState(state, { wantsPlay: reportedPlaying });
      return;
    }
    player.setState(state);
    if (!hasChanged) {
      return;
    }
    const isJump = player.isWithin(state.position_ms) && Math.abs(state.position_ms - player.positionMs) > JUMP_MS;
    if (player.isRunning && !(state.is_playing && isOurs)) {
      // Paused from elsewhere, or another device took over: this page has nothing to report.
      reportedPlaying = false;
      await player.pause();
    } else if (!player.isRunning && state.is_playing && isOurs && player.active) {
      reportedPlaying = true;
      await player.resume();
    } else if (isJump) {
      await player.moveTo(state.position_ms);
    }
  }

  async function poll() {
    const state = await fetchStateChange();
    if (reportTimer) {
      return;
    }
    if (state) {
      await followState(state);
      showRemote(state);
    } else if (player.isRunning !== reportedPlaying) {
      await report();
    }
  }

  let timer = null;
  let failures = 0;
  let isPolling = false;

  async function pollAndWait() {
    isPolling = true;
    let waitMs = POLL_MS;
    try {
      if (document.visibilityState === "visible" || player.isRunning) {
        await poll();
        failures = 0;
      }
    } catch (error) {
      failures += 1;
      waitMs = Math.min(Math.max(error.retryMs ?? 0, POLL_MS * 2 ** failures), LONGEST_POLL_MS);
      if (error.isLoggedOut) {
        // Asked again when somebody comes back to this page.
        waitMs = null;
        await player.pause();
        player.emit("note", { text: texts.logged_out });
      }
    }
    isPolling = false;
    if (waitMs !== null) {
      timer = setTimeout(pollAndWait, waitMs);
    }
  }

  function pollNow() {
    if (!isPolling) {
      clearTimeout(timer);
      pollAndWait();
    }
  }

  timer = setTimeout(pollAndWait, POLL_MS);
  addEventListener("online", pollNow);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && pollNow());
  addEventListener("pagehide", () => {
    if (reportedPlaying) {
      reportedPlaying = false;
      reportPlaying({ playing: false, song_ms: Math.round(player.positionMs), device }, true);
    }
  });
}
