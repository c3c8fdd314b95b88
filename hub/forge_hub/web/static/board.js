// A live page, the alert board or a roll-out: says whether it is live, announces what is new and critical, keeps the
// focus, counts the time on. The board itself comes from the hub, rendered, by htmx and its server-sent events.
'use strict';

(() => {
  // The hub beats every three seconds; three beats missed are no chance.
  const SILENCE_MS = 9000;
  const PROBE_MS = 4000;
  const board = document.getElementById('board');
  const WORDS = {
    live: 'Live',
    connecting: 'Connecting',
    lost: board.dataset.lost ?? 'Connection lost. New alerts do not reach this page. Trying again.',
    'signed-out': board.dataset.signedOut ?? 'Signed out. Sign in again to see alerts.',
  };

  const live = document.getElementById('live');
  const announcement = document.getElementById('announcement');
  const title = document.title;
  const known = new Set();
  let lastHeard = performance.now();
  let focusedId = null;
  let takenByKeyboard = null;
  let lastProbe = 0;

  function show(state) {
    if (live.dataset.state !== state) {
      live.dataset.state = state;
      live.querySelector('.words').textContent = WORDS[state];
      board.classList.toggle('stale', state === 'lost' || state === 'signed-out');
    }
  }

  function heard() {
    if (live.dataset.state !== 'signed-out') {
      lastHeard = performance.now();
      show('live');
    }
  }

  function countTime() {
    const now = Date.now();
    for (const time of board.querySelectorAll('time[data-ago]')) {
      const seconds = Math.floor((now - Date.parse(time.dateTime)) / 1000);
      if (Number.isNaN(seconds)) continue;
      if (seconds < 10) time.textContent = 'just now';
      else if (seconds < 60) time.textContent = `${seconds} s ago`;
      else if (seconds < 3600) time.textContent = `${Math.floor(seconds / 60)} min ago`;
      else if (seconds < 86400) time.textContent = `${Math.floor(seconds / 3600)} h ago`;
      else time.textContent = `${Math.floor(seconds / 86400)} d ago`;
    }
  }

  function readBoard(announce) {
    const open = [...board.querySelectorAll('[data-open]')];
    document.title = open.length ? `(${open.length}) ${title}` : title;
    // What was less urgent and has become critical is announced as well.
    const fresh = open.filter((card) => card.dataset.open === 'critical' && !known.has(card.id));
    for (const card of open) if (card.dataset.open === 'critical') known.add(card.id);
    if (announce && fresh.length) announcement.textContent = fresh.map((card) => card.dataset.words).join('. ');
  }

  // A re-rendered board must not throw a keyboard back to the top of the page: the focus returns to the same element,
  // or to the card of the alert that it belonged to.
  function restoreFocus() {
    const wanted = takenByKeyboard ?? focusedId;
    if (!wanted || (document.activeElement && document.activeElement !== document.body)) return;
    const card = wanted.replace(/^take-/, 'alert-');
    const target = document.getElementById(wanted) ?? document.getElementById(card);
    if (target) target.focus({ preventScroll: true });
    takenByKeyboard = null;
  }

  document.addEventListener('focusin', (event) => {
    focusedId = board.contains(event.target) ? event.target.id || null : null;
  });
  board.addEventListener('submit', (event) => {
    const button = event.target.querySelector('.take');
    if (button && document.activeElement === button) takenByKeyboard = button.id;
  });

  board.addEventListener('beat', heard);
  board.addEventListener('signed-out', () => show('signed-out'));
  document.addEventListener('htmx:sse:after:connection', heard);
  document.addEventListener('htmx:sse:error', (event) => show(event.detail.status === 401 ? 'signed-out' : 'lost'));
  document.addEventListener('htmx:sse:close', () => show('lost'));
  document.addEventListener('htmx:error', () => show('lost'));
  document.addEventListener('htmx:response:error', (event) => {
    show(event.detail.ctx?.response?.status === 401 ? 'signed-out' : 'lost');
  });
  document.addEventListener('htmx:after:swap', () => {
    heard();
    readBoard(true);
    restoreFocus();
    countTime();
  });

  // A radio link that falls silent leaves the stream open for many minutes, and then nothing would open it anew. So a
  // page that is lost asks for itself whether the hub can be reached again, and starts afresh when it can.
  async function probe() {
    lastProbe = performance.now();
    try {
      await fetch('/healthz', { cache: 'no-store', signal: AbortSignal.timeout(PROBE_MS) });
    } catch {
      return;
    }
    if (live.dataset.state === 'lost') location.reload();
  }

  setInterval(() => {
    const now = performance.now();
    if (live.dataset.state === 'signed-out') return;
    if (now - lastHeard > SILENCE_MS) show('lost');
    if (live.dataset.state === 'lost' && now - lastHeard > SILENCE_MS && now - lastProbe > PROBE_MS) probe();
  }, 1000);
  setInterval(countTime, 10000);

  readBoard(false);
  live.hidden = false;
})();
