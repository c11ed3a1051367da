// Makes recordings alike in loudness, by the gain that the site knows of each. The listener can turn it off.
const KEY = "player-levelling";
// More is a wrong tag, or a song that is quiet only where it was measured.
const MOST_DB = 12;

export function volumeFactor(track) {
  const isOn = localStorage.getItem(KEY) !== "off";
  return isOn && Number.isFinite(track?.gain_db) ? 10 ** (Math.min(track.gain_db, MOST_DB) / 20) : 1;
}

export function connectLevelling(player) {
  const box = document.querySelector("[data-player-levelling]");
  box.checked = localStorage.getItem(KEY) !== "off";
  box.addEventListener("change", () => {
    localStorage.setItem(KEY, box.checked ? "on" : "off");
    player.setVolume(player.volume);
  });
}
