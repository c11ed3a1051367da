// Links and forms replace only the page's main part (htmx boost), so that playback goes on.
const main = () => document.getElementById("main");

function listenerOf(page) {
  return page.body.dataset.listener;
}

// The response has another frame (the admin, an error page without a frame) or is for another listener.
function needsWholePage(page) {
  return !page.getElementById("main") || listenerOf(page) !== listenerOf(document);
}

function swapMain(event) {
  const { detail } = event;
  if (!detail.boosted) {
    return;
  }
  const page = new DOMParser().parseFromString(detail.xhr.responseText, "text/html");
  const address = detail.xhr.responseURL || location.href;
  if (needsWholePage(page)) {
    detail.shouldSwap = false;
    if (detail.requestConfig.verb === "get" || new URL(address).pathname !== detail.pathInfo.requestPath.split("?")[0]) {
      event.preventDefault();
      location.assign(address);
    } else {
      detail.isError = true;
    }
    return;
  }
  // Forms with errors and "not found" are pages too.
  detail.shouldSwap = true;
  detail.isError = false;
  detail.target = main();
  detail.selectOverride = "#main > *";
  detail.swapOverride = `innerHTML ${new URL(address).hash || detail.pathInfo.anchor ? "" : "show:window:top"}`;
}

function highlightCurrentLink() {
  for (const link of document.querySelectorAll(".nav-item-link")) {
    if (new URL(link.href).pathname === location.pathname) {
      link.setAttribute("aria-current", "page");
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

function showPage() {
  highlightCurrentLink();
  for (const menu of document.querySelectorAll("header details[open]")) {
    menu.open = false;
  }
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    dialog.close();
  }
  // Unless `autofocus` or a page's own script has set the focus, screen readers continue at the top of the new page.
  if (!main().contains(document.activeElement)) {
    main().focus({ preventScroll: true });
  }
}

// Scroll position of each page, which htmx does not restore when it fetches a page again.
const scrolls = new Map();

export function connectNavigation(onPageShown) {
  document.body.addEventListener("htmx:beforeSwap", swapMain);
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.boosted) {
      showPage();
    }
    onPageShown();
  });
  document.body.addEventListener("htmx:beforeHistorySave", (event) => scrolls.set(event.detail.path, scrollY));
  document.body.addEventListener("htmx:historyRestore", (event) => {
    showPage();
    scrollTo(0, scrolls.get(event.detail.path) ?? 0);
    onPageShown();
  });
  document.body.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());
}
