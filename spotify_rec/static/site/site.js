// Conveniences; every page works without them.
(function () {
  "use strict";
  for (const button of document.querySelectorAll("[data-theme-toggle]")) {
    button.addEventListener("click", window.toggleTheme);
  }
  // A menu closes on a click beside it and on Escape.
  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details.account-menu[open]")) {
      if (!except || !menu.contains(except)) {
        menu.open = false;
      }
    }
  }
  // Suggestions close on a click beside their form, on Escape, and when the focus leaves it.
  function closeSuggestions(except) {
    for (const box of document.querySelectorAll("[data-suggestions]")) {
      if (!except || !box.parentElement.contains(except)) {
        box.replaceChildren();
      }
    }
  }
  document.addEventListener("focusin", (event) => closeSuggestions(event.target));
  document.addEventListener("click", (event) => {
    closeMenus(event.target);
    closeSuggestions(event.target);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      closeMenus(null);
      closeSuggestions(null);
    }
  });
  // Two sliders form a range: their values are shown while they move, and they cannot pass each other.
  document.addEventListener("input", (event) => {
    const pair = event.target.closest("[data-range-pair]");
    if (!pair) {
      return;
    }
    const [low, high] = pair.querySelectorAll("input");
    if (Number(low.value) > Number(high.value)) {
      event.target.value = event.target === low ? high.value : low.value;
    }
    const output = pair.querySelector("output");
    output.value = `${low.value}–${high.value} ${output.value.split(" ").pop()}`;
  });
  // Fields that filter nothing are left out of the address.
  document.body.addEventListener("htmx:configRequest", (event) => {
    const form = event.target;
    if (!form.matches("form[data-prune]")) {
      return;
    }
    for (const field of form.elements) {
      if (field.name && (field.value === "" || field.value === field.dataset.default)) {
        event.detail.formData.delete(field.name);
      }
    }
  });
  // Selects and switches with this attribute submit their form when they change.
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-on-change]")) {
      event.target.form.requestSubmit();
    }
  });
  // Loading content into the sheet opens it; a click beside it closes it.
  const sheet = document.getElementById("sheet");
  document.body.addEventListener("htmx:afterSwap", (event) => {
    const { target, xhr } = event.detail;
    if (target?.id === "sheet-body" && !sheet.open && xhr.getResponseHeader("HX-Reswap") !== "none") {
      sheet.showModal();
    }
  });
  sheet.addEventListener("click", (event) => {
    if (event.target === sheet) {
      sheet.close();
    }
  });
  // The site's root: the whole host, or a path on it.
  const base = new URL(".", document.querySelector('link[rel="manifest"]').href).pathname;
  // The service worker shows the offline page without a network. The cookie has times shown in the browser's zone.
  if ("serviceWorker" in navigator && window.isSecureContext) {
    navigator.serviceWorker.register(`${base}service-worker.js`).catch(() => {});
  }
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) {
    document.cookie = `time_zone=${zone}; path=${base}; max-age=31536000; samesite=lax`;
  }
  // A swap that takes the focused control away leaves the keyboard nowhere: it goes on at the song that an Undo brought
  // back (`data-focus-next`), else at the first control of what is new; not in a toast, which would then stay.
  let lostFocus = null;
  document.body.addEventListener("htmx:beforeSwap", ({ detail }) => {
    const focused = document.activeElement;
    lostFocus = detail.boosted || !detail.target.contains(focused) || focused.closest("#messages") ? null : (focused.closest("[data-focus-next]") ?? focused);
  });
  document.body.addEventListener("htmx:afterSettle", ({ target }) => {
    if (!lostFocus || target.closest("#messages") || document.activeElement !== document.body) {
      return;
    }
    const id = lostFocus.dataset.focusNext;
    const next = id && (target.querySelector(`#${id}`) ?? document.getElementById(id));
    const control = (next || target).querySelector("a[href], button, input:not([type=hidden]), select");
    if (control) {
      lostFocus = null;
      control.focus({ preventScroll: true });
    }
  });
  // Undo buttons are removed after a while, but not while the keyboard is on them.
  function vanishLater(note) {
    setTimeout(() => {
      if (note.querySelector(":focus-visible")) {
        vanishLater(note);
      } else {
        note.remove();
      }
    }, 1000 * Number(note.dataset.vanishSeconds));
  }
  document.body.addEventListener("htmx:load", (event) => {
    const fresh = event.detail.elt;
    for (const note of [fresh, ...fresh.querySelectorAll("[data-vanish-seconds]")]) {
      if (note.matches("[data-vanish-seconds]")) {
        vanishLater(note);
      }
    }
  });
  // Pictures are saved as PNG, which every program shows; without this script, as SVG.
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("[data-save-picture]");
    const drawing = link?.closest("figure").querySelector("svg");
    if (!drawing) {
      return;
    }
    event.preventDefault();
    const { width, height } = drawing.viewBox.baseVal;
    const image = new Image();
    image.addEventListener("load", () => {
      const canvas = Object.assign(document.createElement("canvas"), { width, height });
      canvas.getContext("2d").drawImage(image, 0, 0, width, height);
      const name = link.download.replace(/svg$/, "png");
      Object.assign(document.createElement("a"), { href: canvas.toDataURL("image/png"), download: name }).click();
    });
    image.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(drawing))}`;
  });
  // What was typed before a search field answered to keys is searched as well.
  document.body.addEventListener("htmx:load", (event) => {
    for (const field of event.detail.elt.querySelectorAll("form[hx-trigger*='from:#'] input[type=search]")) {
      if (field.value !== field.defaultValue) {
        field.form.requestSubmit();
      }
    }
  });
  // Messages are toasts: they disappear by themselves, except errors and those with the pointer or the focus on them.
  const TOAST_MS = 8000;
  const texts = document.documentElement.dataset;
  const box = () => document.getElementById("messages");
  function dismissLater(toast) {
    setTimeout(() => {
      if (toast.matches(":hover, :focus-within")) {
        dismissLater(toast);
      } else {
        toast.remove();
      }
    }, TOAST_MS);
  }
  function watchToasts() {
    for (const toast of document.querySelectorAll("[data-toast]:not([data-toast='leaves'])")) {
      toast.dataset.toast = "leaves";
      dismissLater(toast);
    }
  }
  function showToast(text, kind) {
    const toast = document.createElement("div");
    toast.className = `alert alert-${kind} toast-note`;
    toast.setAttribute("role", kind === "danger" ? "alert" : "status");
    const close = document.createElement("button");
    close.className = "btn btn-icon toast-close";
    close.type = "button";
    close.dataset.closeToast = "";
    close.setAttribute("aria-label", texts.closeText);
    close.textContent = "\u2715";
    const body = document.createElement("div");
    body.className = "toast-text";
    body.textContent = text;
    toast.append(body, close);
    if (kind !== "danger") {
      toast.dataset.toast = "";
    }
    box().replaceChildren(toast);
    watchToasts();
  }
  watchToasts();
  for (const name of ["htmx:afterSettle", "htmx:oobAfterSwap"]) {
    document.body.addEventListener(name, watchToasts);
  }
  document.addEventListener("click", (event) => event.target.closest?.("[data-close-toast]")?.parentElement.remove());
  document.addEventListener("toast", (event) => showToast(event.detail.text, event.detail.isError ? "danger" : "success"));
  document.body.addEventListener("close-sheet", () => sheet.close());
  // A request that the site cannot take now is retried for ten minutes; then the error is shown.
  const tries = new WeakMap();
  function retryLater(event) {
    const { xhr, requestConfig, elt, target } = event.detail;
    const seconds = Number(xhr.getResponseHeader("Retry-After"));
    const count = (tries.get(elt) || 0) + 1;
    if (xhr.status !== 503 || !seconds || count > 600 / seconds || !elt.isConnected) {
      return false;
    }
    tries.set(elt, count);
    const values = {};
    for (const name of new Set(requestConfig.formData.keys())) {
      const all = requestConfig.formData.getAll(name);
      values[name] = all.length > 1 ? all : all[0];
    }
    setTimeout(() => window.htmx.ajax(requestConfig.verb, requestConfig.path, { source: elt, target, values }), 1000 * seconds);
    return true;
  }
  document.body.addEventListener("htmx:afterRequest", (event) => {
    // An element that the answer replaced is gone by now: the event comes from what was around it.
    if (event.detail.successful && tries.delete(event.detail.requestConfig.elt)) {
      box().replaceChildren();
    }
  });
  // Failed htmx requests show a message: the server's own text if it sent one, else one in the page's language. So do
  // requests without a response.
  document.body.addEventListener("htmx:responseError", (event) => {
    if (retryLater(event)) {
      showToast(texts.againText, "danger");
      return;
    }
    sheet.close();
    const { xhr } = event.detail;
    const isReadable = (xhr.getResponseHeader("Content-Type") ?? "").startsWith("text/plain") && xhr.status < 500;
    showToast((isReadable && xhr.responseText.trim()) || texts.errorText, "danger");
  });
  // "2 of 3 chosen", of the fields that a form has ticked.
  function showCounts() {
    for (const count of document.querySelectorAll("[data-count-checked]")) {
      const { countChecked, countEnough, countFew, countMany } = count.dataset;
      const number = count.closest("form").querySelectorAll(`[name="${countChecked}"]:checked`).length;
      const text = number < Number(countEnough) ? countFew : countMany;
      count.textContent = text.replace("NUMBER", number);
    }
  }
  showCounts();
  document.addEventListener("change", showCounts);
  document.body.addEventListener("htmx:afterSettle", showCounts);
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    document.body.addEventListener(name, () => showToast(texts.offlineText, "danger"));
  }
})();
