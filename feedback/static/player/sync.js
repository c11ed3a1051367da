// Polls the queue's state, so that this page follows other pages and programs within two seconds, and reports its own
// playback.
import { fetchStateChange, reportPlaying } from "./api.js";

const POLL_MS = 1500;
// Between two songs playback stops and starts within moments, so only a state that lasts is reported.
const SETTLE_MS = 400;
// Two positions that differ by more are a jump, not a delay.
const JUMP_MS = 3000;

function newDeviceName() {
  const digits = Array.from(crypto.getRandomValues(new Uint8Array(3)), (byte) => byte.toString(16).padStart(2, "0"));
  return `Browser ${digits.join("")}`;
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

export function connectSync(player) {
  const device = deviceName();
  let reportedPlaying = false;
  let reportTimer = null;

  async function report() {
    reportTimer = null;
    const { state } = player;
    const hasFailed = !player.isRunning && !player.shouldPlay && state?.is_playing && state.device === device;
    if (player.current && (player.isRunning !== reportedPlaying || hasFailed)) {
      reportedPlaying = player.isRunning;
      const position = Math.round(player.positionMs);
      player.setState(await reportPlaying({ playing: reportedPlaying, song_ms: position, device }));
    }
  }

  player.addEventListener("state", () => {
    clearTimeout(reportTimer);
    reportTimer = setTimeout(() => report().catch(() => {}), SETTLE_MS);
  });

  async function poll() {
    const state = await fetchStateChange();
    if (!state || reportTimer) {
      return;
    }
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
    if (player.isRunning && !(state.is_playing && isOurs)) {
      // Paused from elsewhere, or another device took over: this page has nothing to report.
      reportedPlaying = false;
      await player.pause();
    } else if (!player.isRunning && state.is_playing && isOurs && player.active) {
      reportedPlaying = true;
      await player.resume();
    } else if (player.isRunning && Math.abs(state.position_ms - player.positionMs) > JUMP_MS) {
      await player.seek(state.position_ms);
    }
  }

  setInterval(() => {
    if (document.visibilityState === "visible" || player.isRunning) {
      poll().catch(() => {});
    }
  }, POLL_MS);
  addEventListener("pagehide", () => {
    if (reportedPlaying) {
      reportedPlaying = false;
      reportPlaying({ playing: false, song_ms: Math.round(player.positionMs), device }, true);
    }
  });
}
