// Draws zones and masks over a still of the room. The still is held in this page's memory alone and goes with it.
'use strict';

(() => {
  const BEAT_MS = 2000;
  const WAIT_MS = 5000;
  const IDLE_MS = 120000;
  const STEP = 0.01;
  const LONG_STEP = 0.05;
  const MOST_CORNERS = 64;
  const FEWEST = 3;
  const SVG = 'http://www.w3.org/2000/svg';
  const { key, screen, drawn } = document.body.dataset;
  const [stage, still, areas, corners, kinds, news, doubts, save] = [
    'stage', 'still', 'areas', 'corners', 'kinds', 'news', 'doubts', 'save',
  ].map((id) => document.getElementById(id));

  let shapes = new Map();
  let current = 'bed';
  let chosen = -1;
  let dragged = false;
  let anyway = false;
  let lastTouched = performance.now();
  let left = false;

  const isMask = (name) => name.startsWith('mask-');
  const now = () => shapes.get(current);
  const clamp = (share) => Math.min(1, Math.max(0, Math.round(share * 1000) / 1000));

  async function ask(path, { body, headers } = {}) {
    const answer = await fetch(path, {
      method: 'POST', body, headers: { 'drawing-key': key, ...headers }, signal: AbortSignal.timeout(WAIT_MS),
    });
    if (answer.status === 403) leave();
    return answer;
  }

  // Whatever ends it, the picture goes first.
  function leave() {
    if (left) return;
    left = true;
    still.removeAttribute('src');
    fetch('/leave', { method: 'POST', headers: { 'drawing-key': key }, keepalive: true }).catch(() => {});
    window.location.replace(`${screen}/`);
  }

  async function look() {
    try {
      const answer = await ask('/still');
      if (!answer.ok) throw new Error('no picture');
      const address = URL.createObjectURL(await answer.blob());
      still.onload = () => {
        stage.style.aspectRatio = `${still.naturalWidth} / ${still.naturalHeight}`;
        stage.style.maxWidth = `${(80 * still.naturalWidth) / still.naturalHeight}dvh`;
        URL.revokeObjectURL(address);
      };
      still.src = address;
      still.hidden = false;
    } catch {
      say('The camera gives no picture right now. What is drawn stays.');
    }
  }

  function say(sentence) {
    news.textContent = sentence;
  }

  function take(one) {
    shapes = new Map();
    for (const label of kinds.querySelectorAll('label')) {
      if (isMask(label.firstElementChild.value)) label.remove();
      else shapes.set(label.firstElementChild.value, one.zones[label.firstElementChild.value] ?? []);
    }
    one.masks.forEach((mask) => addMask(mask));
    choose('bed');
  }

  function addMask(polygon) {
    const number = [...shapes.keys()].filter(isMask).length + 1;
    const name = `mask-${number}`;
    const label = document.createElement('label');
    const input = document.createElement('input');
    const words = document.createElement('span');
    Object.assign(input, { type: 'radio', name: 'kind', value: name });
    words.textContent = `Hidden ${number}`;
    label.append(input, ' ', words);
    kinds.append(label);
    shapes.set(name, polygon);
    return name;
  }

  function choose(name) {
    current = name;
    chosen = -1;
    kinds.querySelector(`input[value="${name}"]`).checked = true;
    draw();
  }

  function polygon(points, classes) {
    const shape = document.createElementNS(SVG, points.length < FEWEST ? 'polyline' : 'polygon');
    shape.setAttribute('points', points.map(([x, y]) => `${1000 * x},${1000 * y}`).join(' '));
    shape.setAttribute('class', classes);
    return shape;
  }

  function draw() {
    areas.replaceChildren();
    for (const [name, points] of shapes) {
      if (!points.length) continue;
      const classes = [isMask(name) ? 'mask' : 'zone', ...(name === current ? ['now'] : [])].join(' ');
      areas.append(polygon(points, 'behind'), polygon(points, classes));
    }
    const focused = [...corners.children].indexOf(document.activeElement);
    const words = kinds.querySelector('input:checked').parentElement.textContent.trim();
    while (corners.children.length > now().length) corners.lastElementChild.remove();
    now().forEach(([x, y], place) => {
      const corner = corners.children[place] ?? corners.appendChild(document.createElement('button'));
      corner.type = 'button';
      corner.className = place === chosen ? 'corner chosen' : 'corner';
      corner.style.left = `${100 * x}%`;
      corner.style.top = `${100 * y}%`;
      const where = `${Math.round(100 * x)} % from the left, ${Math.round(100 * y)} % from the top`;
      corner.setAttribute('aria-label', `${words}, corner ${place + 1} of ${now().length}, ${where}`);
    });
    if (focused >= 0 && !corners.contains(document.activeElement)) corners.lastElementChild?.focus();
  }

  function changed() {
    anyway = false;
    doubts.hidden = true;
    save.firstElementChild.textContent = 'Save';
    draw();
  }

  // A new corner goes where it lengthens the line least, so that the line does not cross itself.
  function placeFor([x, y]) {
    const points = now();
    if (points.length < FEWEST) return points.length;
    const longer = points.map(([ax, ay], place) => {
      const [bx, by] = points[(place + 1) % points.length];
      return Math.hypot(x - ax, y - ay) + Math.hypot(x - bx, y - by) - Math.hypot(ax - bx, ay - by);
    });
    return longer.indexOf(Math.min(...longer)) + 1;
  }

  function add(point) {
    if (now().length >= MOST_CORNERS) return;
    chosen = placeFor(point);
    now().splice(chosen, 0, point);
    changed();
  }

  function addByKey() {
    const points = now();
    if (points.length < FEWEST) {
      add([[0.35, 0.35], [0.65, 0.35], [0.65, 0.65]][points.length]);
    } else {
      const long = points.map(([ax, ay], place) => {
        const [bx, by] = points[(place + 1) % points.length];
        return { length: Math.hypot(ax - bx, ay - by), middle: [clamp((ax + bx) / 2), clamp((ay + by) / 2)] };
      }).sort((one, other) => other.length - one.length)[0];
      add(long.middle);
    }
    corners.children[chosen]?.focus();
  }

  function remove(place) {
    if (place < 0 || place >= now().length) return;
    now().splice(place, 1);
    chosen = Math.min(place, now().length - 1);
    changed();
  }

  function at(event) {
    const box = stage.getBoundingClientRect();
    return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)];
  }

  stage.addEventListener('pointerdown', (event) => {
    const corner = event.target.closest('.corner');
    if (corner) {
      chosen = [...corners.children].indexOf(corner);
      draw();
    } else {
      add(at(event));
      event.preventDefault();
    }
    dragged = true;
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('pointermove', (event) => {
    if (!dragged || !now()[chosen]) return;
    now()[chosen] = at(event);
    changed();
  });
  for (const end of ['pointerup', 'pointercancel']) stage.addEventListener(end, () => { dragged = false; });

  corners.addEventListener('focusin', (event) => {
    chosen = [...corners.children].indexOf(event.target);
    draw();
  });
  corners.addEventListener('keydown', (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (way) {
      const step = event.shiftKey ? LONG_STEP : STEP;
      const [x, y] = now()[chosen];
      now()[chosen] = [clamp(x + step * way[0]), clamp(y + step * way[1])];
      changed();
    } else if (event.key === 'Delete' || event.key === 'Backspace') {
      remove(chosen);
    } else {
      return;
    }
    event.preventDefault();
  });

  kinds.addEventListener('change', (event) => choose(event.target.value));

  function on(id, act) {
    document.getElementById(id).addEventListener('click', act);
  }

  on('add', addByKey);
  on('take', () => remove(chosen < 0 ? now().length - 1 : chosen));
  on('clear', () => { shapes.set(current, []); chosen = -1; changed(); });
  on('hide', () => { choose(addMask([])); say('Touch the corners of what the camera may not look at.'); });
  on('look', look);
  on('leave', leave);
  on('undo', async () => {
    try {
      const answer = await ask('/undo');
      const given = await answer.json();
      if (answer.ok) {
        take(given);
        changed();
        say('What held before holds again.');
        await look();
      } else say(given.wrong);
    } catch {
      say('That did not work.');
    }
  });
  on('save', async () => {
    const entries = [...shapes].filter(([, points]) => points.length);
    if (entries.some(([, points]) => points.length < FEWEST)) {
      say('An area needs three corners or more.');
      return;
    }
    const body = JSON.stringify({
      zones: Object.fromEntries(entries.filter(([name]) => !isMask(name))),
      masks: entries.filter(([name]) => isMask(name)).map(([, points]) => points),
    });
    try {
      const answer = await ask('/save', { body, headers: { 'drawing-anyway': anyway ? 'yes' : 'no' } });
      const given = await answer.json();
      if (answer.status === 409) {
        doubts.replaceChildren(...given.doubts.map((sentence) => {
          const line = document.createElement('li');
          line.textContent = sentence;
          return line;
        }));
        doubts.hidden = false;
        anyway = true;
        save.firstElementChild.textContent = 'Save it all the same';
        say('Please look again. It is not saved yet.');
      } else if (answer.ok) {
        changed();
        say('Saved. The room watches by it from now on.');
        await look();
      } else say(given.wrong);
    } catch {
      say('That did not work. It is not saved.');
    }
  });

  for (const touch of ['pointerdown', 'keydown']) {
    document.addEventListener(touch, () => { lastTouched = performance.now(); }, { capture: true });
  }
  window.addEventListener('pagehide', leave);
  setInterval(async () => {
    if (left) return;
    if (performance.now() - lastTouched > IDLE_MS) {
      leave();
      return;
    }
    try {
      await ask('/beat');
    } catch {
      leave(); // The eyes are gone, or were ended because somebody said no: what they showed goes too.
    }
  }, BEAT_MS);

  take(JSON.parse(drawn));
  look();
})();
