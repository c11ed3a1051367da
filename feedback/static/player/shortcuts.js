// Keys that play: never while somebody types, and off where they are switched off.
import { toggleMark } from "./ratings.js";

const help = document.getElementById("player-help");
const keysOn = document.querySelector("[data-player-keys]");
const NO_TEXT = ["range", "checkbox", "radio", "button", "submit", "reset", "color", "file"];

function isTyping(element) {
  const field = element.closest("input, textarea, select, [contenteditable]");
  return Boolean(field) && !(field instanceof HTMLInputElement && NO_TEXT.includes(field.type));
}

function act(player, key) {
  switch (key) {
    case " ":
      player.unlock();
      return player.toggle();
    case "n": return player.next();
    case "p": return player.previous();
    case "l": return toggleMark(player, 1);
    case "d": return toggleMark(player, -1);
    default: return help.showModal();
  }
}

export function connectKeys(player) {
  keysOn.checked = localStorage.getItem("player-keys") !== "off";
  keysOn.addEventListener("change", () => localStorage.setItem("player-keys", keysOn.checked ? "on" : "off"));
  document.querySelector('[data-player="help"]').addEventListener("click", () => help.showModal());
  help.addEventListener("click", (event) => event.target === help && help.close());
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const isOurs = [" ", "n", "p", "l", "d", "?"].includes(key);
    if (!isOurs || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.repeat) {
      return;
    }
    if (isTyping(target) || document.querySelector("dialog[open]") || (key !== "?" && !(keysOn.checked && player.current))) {
      return;
    }
    // Space presses the button that has the focus, as everywhere.
    if (key === " " && target.closest("button, summary, a, input, audio, video")) {
      return;
    }
    event.preventDefault();
    act(player, key);
  });
}
