// Drag and drop of songs in the queue by their handles, with finger or mouse. The buttons beside them do the same.
export function connectDrag(box, onMove) {
  box.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest("[data-queue-handle]");
    const item = handle?.closest("[data-queue-item]");
    if (!item) {
      return;
    }
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
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
      handle.removeEventListener("pointermove", drag);
      item.classList.remove("is-dragged");
      const index = items().indexOf(item);
      if (index !== before) {
        onMove(item.dataset.queueItem, index);
      }
    }
    handle.addEventListener("pointermove", drag);
    handle.addEventListener("pointerup", drop, { once: true });
    handle.addEventListener("pointercancel", drop, { once: true });
  });
}
