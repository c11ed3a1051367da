// Shows the offline page when the site cannot be reached. Pages and songs of a listener are never kept.
"use strict";
const FILES = [{% for file in files %}"{{ file|escapejs }}", {% endfor %}"{{ offline_url|escapejs }}"];
// Caches are the whole host's, of which the site may be a part. The name follows the files, whose names follow their content.
const MINE = "offline:{{ base|escapejs }}:";
const CACHE = MINE + FILES.join("|");

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) =>
    Promise.all(names.filter((name) => name.startsWith(MINE) && name !== CACHE).map((name) => caches.delete(name))),
  );
  event.waitUntil(old.then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const request = event.request;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) {
    return;
  }
  if (request.mode === "navigate") {
    event.respondWith(fetch(request).catch(() => caches.match("{{ offline_url|escapejs }}")));
  } else if (FILES.includes(new URL(request.url).pathname)) {
    event.respondWith(fetch(request).catch(() => caches.match(request)));
  }
});
