// Drag and drop of songs in the queue by their handles, with finger or mouse. The buttons beside them do the same.

// Resolves when no song is being dragged: to render the list again would take it from under the finger.
export function dropped(box) {
  return new Promise((resolve) => {
    if (box.querySelector(".is-dragged")) {
      box.addEventListener("drop-item", resolve, { once: true });
    } else {
      resolve();
    }
  });
}

export function connectDrag(box, onMove) {
  box.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-queue-handle]");
    const item = handle?.closest("[data-queue-item]");
    if (!item) {
      return;
    }
    event.preventDefault();
    item.classList.add("is-dragged");
    const items = () => [...box.querySelectorAll("[data-queue-item]")];
    const before = items().indexOf(item);
    function drag({ clientY }) {
      const over = items().find((other) => {
        const { top, bottom } = other.getBoundingClientRect();
        return other !== item && clientY > top && clientY < bottom;
      });
      if (over) {
        const isBelow = items().indexOf(over) > items().indexOf(item);
        over[isBelow ? "after" : "before"](item);
      }
    }
    function drop() {
      window.removeEventListener("pointermove", drag);
      window.removeEventListener("pointerup", drop);
      window.removeEventListener("pointercancel", drop);
      item.classList.remove("is-dragged");
      box.dispatchEvent(new Event("drop-item"));
      const index = items().indexOf(item);
      if (index !== before) {
        onMove(item.dataset.queueItem, index);
      }
    }
    // On the window, because a handle that moves in the list loses the pointer it has captured.
    window.addEventListener("pointermove", drag);
    window.addEventListener("pointerup", drop);
    window.addEventListener("pointercancel", drop);
  });
}
