// Links and forms change the page's main part alone (htmx boost), so that what plays goes on.
const main = () => document.getElementById("main");

function listenerOf(page) {
  return page.body.dataset.listener;
}

// The answer belongs to another frame (the administration, an error page without one) or another listener.
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
  // Refused forms and "not found" are pages too.
  detail.shouldSwap = true;
  detail.isError = false;
  detail.target = main();
  detail.selectOverride = "#main > *";
  detail.swapOverride = `innerHTML ${new URL(address).hash || detail.pathInfo.anchor ? "" : "show:window:top"}`;
}

function markNavigation() {
  for (const link of document.querySelectorAll(".nav-item-link")) {
    if (new URL(link.href).pathname === location.pathname) {
      link.setAttribute("aria-current", "page");
    } else {
      link.removeAttribute("aria-current");
    }
  }
}

function arrive() {
  markNavigation();
  for (const menu of document.querySelectorAll("header details[open]")) {
    menu.open = false;
  }
  for (const dialog of document.querySelectorAll("dialog[open]")) {
    dialog.close();
  }
  // Where a page's own script or `autofocus` has not put the focus, readers go on at the top of the new page.
  if (!main().contains(document.activeElement)) {
    main().focus({ preventScroll: true });
  }
}

// Where each page was left, as htmx brings pages back from the server without that.
const scrolls = new Map();

export function connectPages(onArrival) {
  document.body.addEventListener("htmx:beforeSwap", swapMain);
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.boosted) {
      arrive();
    }
    onArrival();
  });
  document.body.addEventListener("htmx:beforeHistorySave", (event) => scrolls.set(event.detail.path, scrollY));
  document.body.addEventListener("htmx:historyRestore", (event) => {
    arrive();
    scrollTo(0, scrolls.get(event.detail.path) ?? 0);
    onArrival();
  });
  document.body.addEventListener("htmx:historyCacheMissLoadError", () => location.reload());
}
