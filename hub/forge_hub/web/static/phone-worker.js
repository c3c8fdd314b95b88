// Looks after the phone page where the hub cannot be reached: it says so. Alerts are never kept: an old one misleads.
'use strict';

const CACHE = 'phone-1';
const OFFLINE = '/static/phone-offline.html';
const KEPT = [OFFLINE, '/static/phone-offline.js', '/static/site.css', '/static/icon.svg'];

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(self.clients.claim());
});

self.addEventListener('fetch', (event) => {
  const kept = KEPT.includes(new URL(event.request.url).pathname);
  if (event.request.mode !== 'navigate' && !kept) return;
  event.respondWith(fetch(event.request).catch(() => caches.match(kept ? event.request : OFFLINE)));
});
