// The live phone page: keeps one stream open through sleep and radio gaps, says when it is not live, sounds what rings.
'use strict';

(() => {
  // The hub beats every three seconds; three beats missed are no chance.
  const SILENCE_MS = 9000;
  const RETRY_MS = 2000;
  const WORDS = {
    live: 'Live',
    connecting: 'Connecting',
    lost: 'Connection lost. New alerts do not reach this phone. Trying again.',
    'signed-out': 'Signed out. Sign in again to get alerts.',
  };
  const ORDER = ['high', 'medium', 'low'];

  const phone = document.getElementById('phone');
  const live = document.getElementById('live');
  const announcement = document.getElementById('announcement');
  const sound = document.getElementById('sound');
  const soundState = document.getElementById('sound-state');
  const title = document.title;
  const known = new Set();
  const told = new Set();
  let stream = null;
  let lastHeard = performance.now();
  let lastTry = 0;
  let lastId = '';
  let nextBurst = 0;
  let focusedId = null;

  function show(state) {
    if (live.dataset.state === state) return;
    live.dataset.state = state;
    live.querySelector('.words').textContent = WORDS[state];
    phone.classList.toggle('stale', state === 'lost' || state === 'signed-out');
  }

  function heard(event) {
    if (event.lastEventId) lastId = event.lastEventId;
    lastHeard = performance.now();
    show('live');
  }

  function connect() {
    lastTry = performance.now();
    stream?.close();
    stream = new EventSource(`/phone/stream?after=${encodeURIComponent(lastId)}`);
    stream.addEventListener('message', (event) => {
      heard(event);
      replace(event.data);
    });
    stream.addEventListener('beat', heard);
    stream.addEventListener('signed-out', () => {
      stream.close();
      show('signed-out');
    });
    stream.addEventListener('error', () => show('lost'));
  }

  // A board that changes under a finger or a keyboard keeps the focus on the same button, or on the card that it was on.
  function replace(html) {
    const chosen = phone.querySelector('input[name=cause]:checked')?.id;
    const wanted = focusedId;
    phone.innerHTML = html;
    if (chosen) document.getElementById(chosen)?.setAttribute('checked', '');
    if (wanted) {
      const card = wanted.replace(/^[a-z]+-/, 'alert-');
      (document.getElementById(wanted) ?? document.getElementById(card) ?? phone).focus({ preventScroll: true });
    }
    countTime();
    readCards();
  }

  function ringing() {
    return [...phone.querySelectorAll('[data-ring]')];
  }

  function readCards() {
    const cards = ringing();
    document.title = cards.length ? `(${cards.length}) ${title}` : title;
    const fresh = cards.filter((card) => !known.has(card.dataset.ring));
    for (const card of fresh) known.add(card.dataset.ring);
    if (fresh.length) {
      announcement.textContent = fresh.map((card) => card.dataset.words).join('. ');
      nextBurst = 0;
      ring();
    }
    sayThatSeen(cards);
  }

  function ring() {
    const cards = ringing();
    if (!cards.length || performance.now() < nextBurst) return;
    const priority = ORDER.find((each) => cards.some((card) => card.dataset.priority === each)) ?? 'high';
    nextBurst = performance.now() + 1000 * AlarmSound.seconds(priority);
    AlarmSound.burst(priority);
    // A browser refuses, and complains, until somebody has touched the page.
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(priority === 'high' ? [300, 100, 300, 100, 300] : [300]);
    if (!AlarmSound.isOn()) showSound();
  }

  function sayThatSeen(cards) {
    if (document.visibilityState !== 'visible') return;
    for (const card of cards) {
      const id = card.dataset.alert;
      if (card.dataset.seen === 'yes' || told.has(id)) continue;
      told.add(id);
      send(`/alerts/${id}/seen`, new FormData()).catch(() => told.delete(id));
    }
  }

  async function send(address, body) {
    const answer = await fetch(address, {
      method: 'POST',
      body,
      headers: { 'X-CSRF-Token': phone.dataset.csrf, 'HX-Request': 'true' },
      signal: AbortSignal.timeout(8000),
    });
    if (!answer.ok) throw new Error(String(answer.status));
  }

  phone.addEventListener('submit', async (event) => {
    event.preventDefault();
    const form = event.target;
    const button = event.submitter ?? form.querySelector('button');
    const body = new FormData(form);
    if (button.name) body.append(button.name, button.value);
    button.disabled = true;
    try {
      await send(form.action, body);
    } catch {
      announcement.textContent = 'This did not reach the hub. Press again.';
      show('lost');
    } finally {
      button.disabled = false;
    }
  });
  document.addEventListener('focusin', (event) => {
    focusedId = phone.contains(event.target) ? event.target.id || null : null;
  });

  function showSound() {
    const on = AlarmSound.isOn();
    sound.setAttribute('aria-pressed', String(on));
    sound.textContent = on ? 'Turn the sound off' : 'Turn the sound on';
    soundState.textContent = on ? 'The sound is on.' : 'The sound is off.';
  }

  sound.addEventListener('click', async () => {
    if (AlarmSound.isOn()) await AlarmSound.turnOff();
    else await AlarmSound.turnOn();
    nextBurst = 0;
    showSound();
    ring();
  });

  function countTime() {
    const now = Date.now();
    for (const time of phone.querySelectorAll('time[data-ago]')) {
      const seconds = Math.floor((now - Date.parse(time.dateTime)) / 1000);
      if (seconds < 10) time.textContent = 'just now';
      else if (seconds < 60) time.textContent = `${seconds} s ago`;
      else if (seconds < 3600) time.textContent = `${Math.floor(seconds / 60)} min ago`;
      else if (seconds < 86400) time.textContent = `${Math.floor(seconds / 3600)} h ago`;
      else time.textContent = `${Math.floor(seconds / 86400)} d ago`;
    }
  }

  // A phone that slept, or whose radio link fell silent, holds a stream that is open and dead: it is opened anew.
  function look() {
    if (live.dataset.state === 'signed-out') return;
    const now = performance.now();
    if (now - lastHeard > SILENCE_MS) show('lost');
    if (live.dataset.state === 'lost' && now - lastTry > RETRY_MS && stream?.readyState !== EventSource.OPEN) connect();
    else if (now - lastHeard > SILENCE_MS && now - lastTry > SILENCE_MS) connect();
    ring();
  }

  function wake() {
    countTime();
    if (performance.now() - lastHeard > 4000) connect();
    sayThatSeen(ringing());
  }

  setInterval(look, 1000);
  setInterval(countTime, 10000);
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && wake());
  window.addEventListener('online', connect);
  window.addEventListener('pageshow', (event) => event.persisted && connect());

  live.hidden = false;
  sound.hidden = false;
  showSound();
  connect();
  readCards();
  navigator.serviceWorker?.register('/phone-worker.js', { scope: '/phone' }).catch(() => {});
})();
