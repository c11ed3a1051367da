// The queue panel, and the buttons on pages that play songs or add them to the queue.
import { fetchQueue, texts } from "./api.js";
import { connectDrag, dropped } from "./drag.js";

const sheet = document.getElementById("player-queue");
const sheetBody = document.getElementById("player-queue-body");

// What tells a button of the panel, also after the panel has been rendered again.
function keyOf(button) {
  const { queueJump, queueRemove, queueMove } = button.dataset;
  const isDown = queueMove !== undefined && button.matches("[data-queue-move] ~ [data-queue-move]");
  return JSON.stringify([queueJump, queueRemove, queueMove, isDown]);
}

// The focus goes to the same button, else to the other one of a pair, else to the button that took its place.
function restoreFocus(focused, before) {
  const buttons = [...sheetBody.querySelectorAll("button")];
  const same = buttons.find((button) => keyOf(button) === keyOf(focused));
  const { queueMove } = focused.dataset;
  const pair = queueMove && buttons.find((button) => button.dataset.queueMove === queueMove && !button.disabled);
  const next = buttons[Math.min(before.indexOf(focused), buttons.length - 1)];
  [same, pair, next].find((button) => button && !button.disabled)?.focus();
}

let renders = 0;
async function renderQueue() {
  const number = ++renders;
  const html = await fetchQueue();
  await dropped(sheetBody);
  if (number !== renders) {
    return;
  }
  const typed = sheetBody.querySelector("#queue-name");
  const buttons = [...sheetBody.querySelectorAll("button")];
  const focused = document.activeElement;
  sheetBody.innerHTML = html;
  window.htmx.process(sheetBody);
  const name = sheetBody.querySelector("#queue-name");
  if (typed && name && typed.value !== typed.defaultValue) {
    name.value = typed.value;
  }
  if (typed && focused === typed) {
    name?.focus();
  } else if (buttons.includes(focused)) {
    restoreFocus(focused, buttons);
  }
}

export function connectQueue(player) {
  document.querySelector('[data-player="queue"]').addEventListener("click", async () => {
    await renderQueue();
    sheet.showModal();
    sheetBody.querySelector('[aria-current="true"]')?.scrollIntoView({ block: "center" });
  });
  sheet.addEventListener("click", async (event) => {
    if (event.target === sheet || event.target.closest("a")) {
      sheet.close();
      return;
    }
    const { queueJump, queueRemove, queueClear, queueMove, index } = event.target.closest("button")?.dataset ?? {};
    if (queueJump) {
      await player.playFrom("jump", { item: queueJump });
    } else if (queueMove) {
      await player.change("move", { item: queueMove, index });
    } else if (queueRemove) {
      await player.change("remove", { item: queueRemove });
    } else if (queueClear !== undefined) {
      await player.change("clear");
    }
  });
  player.addEventListener("song", () => {
    if (sheet.open) {
      renderQueue();
    }
  });
  connectDrag(sheetBody, (item, index) => player.change("move", { item, index }));
}

// Runs in the capture phase, before htmx, which records a play at the same button where this script does not run.
export function connectPlayButtons(player) {
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-play], [data-play-list], [data-queue-add]");
    if (!button) {
      return;
    }
    event.preventDefault();
    event.stopImmediatePropagation();
    const { play, playList, queueAdd } = button.dataset;
    if (play && play === String(player.current?.track.id)) {
      player.unlock();
      player.toggle();
    } else if (play) {
      player.unlock();
      player.playFrom("play", { track: play });
    } else if (playList !== undefined) {
      player.unlock();
      const { origin, originUrl, source, sourceId } = button.dataset;
      player.playFrom("list", { tracks: playList, origin, origin_url: originUrl, source, source_id: sourceId });
    } else {
      player.change("add", { tracks: queueAdd, next: "next" in button.dataset }).then((isAdded) => {
        if (isAdded) {
          button.closest("dialog")?.close();
          document.dispatchEvent(new CustomEvent("toast", { detail: { text: texts.added } }));
        }
      });
    }
  }, true);
}
