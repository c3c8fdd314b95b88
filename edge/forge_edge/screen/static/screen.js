// Keeps the room's screen up to date, and lets a touch take effect without loading the page anew. Without this script
// every button still works: each is a form of its own.
'use strict';

(() => {
  // The room beats every two seconds; three beats missed are no chance.
  const SILENCE_MS = 6000;
  const TAP_MS = 5000;
  // A hand that shakes touches twice: what has just appeared under it does not take the second touch.
  const SETTLE_MS = 600;
  const REST_MS = 30000;
  const LOST = 'This screen has lost the room.';
  const FAILED = 'That did not work.';
  const CALL = 'If you need someone, press the call button.';

  const room = document.getElementById('room');
  const lost = document.getElementById('lost');
  const announcement = document.getElementById('announcement');
  let moment = Number(room.dataset.moment);
  let lastHeard = performance.now();
  let lastTouched = performance.now();
  let source = null;
  let settledAt = 0;
  let settling = 0;
  let focusQuestion = false;

  const screen = () => room.querySelector('.screen');

  function say(sentence) {
    const strong = document.createElement('strong');
    strong.textContent = sentence;
    lost.firstElementChild.replaceChildren(strong, ` ${CALL}`);
    lost.hidden = false;
    room.classList.toggle('stale', sentence === LOST);
  }

  // The page may be replaced once more meanwhile: whatever stands there is not touched before its time.
  function settle() {
    const rest = settledAt - performance.now();
    const main = room.querySelector('main');
    clearTimeout(settling);
    main.inert = rest > 0;
    if (rest > 0) {
      settling = setTimeout(settle, rest);
    } else if (focusQuestion) {
      focusQuestion = false;
      if (document.activeElement === document.body) main.querySelector('h1')?.focus();
    }
  }

  function startSettling() {
    settledAt = performance.now() + SETTLE_MS;
    settle();
  }

  // What somebody has begun to enter stays when something else on the screen changes.
  function entered() {
    const fields = new Map();
    for (const field of room.querySelectorAll('input[id], textarea[id], select[id]')) {
      fields.set(field.id, field.type === 'checkbox' ? field.checked : field.value);
    }
    const open = room.querySelector('details')?.open ?? false;
    return { fields, open };
  }

  function enter({ fields, open }) {
    for (const [id, value] of fields) {
      const field = document.getElementById(id);
      if (field?.type === 'checkbox') field.checked = value;
      else if (field) field.value = value;
    }
    const details = room.querySelector('details');
    if (details) details.open = open;
  }

  function show(html, at) {
    if (at < moment) return;
    moment = at;
    const before = screen().dataset.question;
    const focused = document.activeElement?.id;
    const wasInMain = room.querySelector('main').contains(document.activeElement);
    const kept = entered();
    room.innerHTML = html;
    const now = screen();
    const changed = now.dataset.question !== before;
    if (!changed) enter(kept);
    if (focused && !(changed && wasInMain)) document.getElementById(focused)?.focus({ preventScroll: true });
    if (changed) {
      window.scrollTo(0, 0);
      settledAt = performance.now() + SETTLE_MS;
      focusQuestion = focusQuestion || wasInMain;
    }
    settle();
    dress();
    announce();
  }

  // What needs a script is only shown where there is one.
  function dress() {
    const keys = room.querySelector('[data-keys]');
    if (keys) keys.hidden = false;
    for (const part of room.querySelectorAll('[data-scripted]')) part.hidden = false;
    rest();
  }

  function announce() {
    const parts = [room.querySelector('.call .news'), room.querySelector('#question'), room.querySelector('.doing span')];
    const words = parts.filter(Boolean).map((part) => part.textContent.trim().replace(/[.]?$/, '.')).join(' ');
    if (announcement.textContent !== words) announcement.textContent = words;
  }

  function rest() {
    const { light, rests } = screen().dataset;
    const idle = performance.now() - lastTouched > REST_MS;
    document.body.classList.toggle('resting', light === 'night' && rests === 'yes' && idle);
  }

  function heard() {
    lastHeard = performance.now();
    if (room.classList.contains('stale')) {
      room.classList.remove('stale');
      lost.hidden = true;
    }
  }

  function listen() {
    source?.close();
    source = new EventSource('/live');
    source.addEventListener('beat', heard);
    source.addEventListener('message', (event) => {
      heard();
      show(event.data, Number(event.lastEventId));
    });
  }

  function touched() {
    lastTouched = performance.now();
    // What was hidden is not touched by the touch that shows it.
    if (document.body.classList.contains('resting')) startSettling();
    rest();
  }

  document.addEventListener('pointerdown', touched, { capture: true });
  document.addEventListener('keydown', touched, { capture: true });

  document.addEventListener('click', (event) => {
    const key = event.target.closest('[data-key]');
    const field = document.getElementById('field');
    if (!key || !field) return;
    field.value = key.dataset.key ? field.value + key.dataset.key : field.value.slice(0, -1);
  });

  document.addEventListener('submit', async (event) => {
    const form = event.target;
    const button = event.submitter;
    event.preventDefault();
    if (form.dataset.sending) return;
    form.dataset.sending = 'yes';
    button?.setAttribute('aria-busy', 'true');
    const body = new URLSearchParams(new FormData(form));
    if (button?.name) body.append(button.name, button.value);
    for (const secret of form.querySelectorAll('input[type=password]')) secret.value = '';
    try {
      const answer = await fetch(form.action, { method: 'POST', body, signal: AbortSignal.timeout(TAP_MS) });
      if (!answer.ok) throw new Error('refused');
      if (new URL(answer.url).pathname === '/draw') {
        window.location.assign('/draw');
        return;
      }
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById('room');
      heard();
      lost.hidden = true;
      show(page.innerHTML, Number(page.dataset.moment));
    } catch {
      say(performance.now() - lastHeard > SILENCE_MS ? LOST : FAILED);
    } finally {
      delete form.dataset.sending;
      button?.removeAttribute('aria-busy');
    }
  });

  setInterval(() => {
    if (performance.now() - lastHeard > SILENCE_MS) {
      say(LOST);
      listen();
    }
    rest();
  }, 2000);

  listen();
  dress();
})();
