// Keyboard shortcuts of the player. They do nothing while the listener types, and can be switched off.
import { toggleRating } from "./ratings.js";

const help = document.getElementById("player-help");
const enabledBox = document.querySelector("[data-player-keys]");
const NON_TEXT_INPUTS = ["range", "checkbox", "radio", "button", "submit", "reset", "color", "file"];

function isTyping(element) {
  const field = element.closest("input, textarea, select, [contenteditable]");
  return Boolean(field) && !(field instanceof HTMLInputElement && NON_TEXT_INPUTS.includes(field.type));
}

function runShortcut(player, key) {
  switch (key) {
    case " ":
      player.unlock();
      return player.toggle();
    case "n": return player.next();
    case "p": return player.previous();
    case "l": return toggleRating(player, 1);
    case "d": return toggleRating(player, -1);
    default: return help.showModal();
  }
}

export function connectShortcuts(player) {
  enabledBox.checked = localStorage.getItem("player-keys") !== "off";
  enabledBox.addEventListener("change", () => localStorage.setItem("player-keys", enabledBox.checked ? "on" : "off"));
  document.querySelector('[data-player="help"]').addEventListener("click", () => help.showModal());
  help.addEventListener("click", (event) => event.target === help && help.close());
  document.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const isOurs = [" ", "n", "p", "l", "d", "?"].includes(key);
    if (!isOurs || event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || event.repeat) {
      return;
    }
    if (isTyping(target) || document.querySelector("dialog[open]") || (key !== "?" && !(enabledBox.checked && player.current))) {
      return;
    }
    // Space presses the button that has the focus, as everywhere.
    if (key === " " && target.closest("button, summary, a, input, audio, video")) {
      return;
    }
    event.preventDefault();
    runShortcut(player, key);
  });
}
