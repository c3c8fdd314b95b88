// Sends a release as it is, says how far it is, and can be stopped. The hub answers with the release or with a reason.
'use strict';

(() => {
  const form = document.getElementById('upload');
  if (!form) return;
  const file = document.getElementById('file');
  const add = form.querySelector('button[type=submit]');
  const stop = document.getElementById('upload-stop');
  const problem = document.getElementById('upload-problem');
  const shown = document.getElementById('upload-progress');
  const bar = shown.querySelector('progress');
  const words = shown.querySelector('[role=status]');
  let request = null;

  function show(isOnItsWay, reason) {
    shown.hidden = stop.hidden = !isOnItsWay;
    add.disabled = file.disabled = isOnItsWay;
    problem.hidden = !reason;
    problem.querySelector('span').textContent = reason;
  }

  function say(text) {
    if (words.textContent !== text) words.textContent = text;
  }

  function reasonOf(answer) {
    try {
      const said = JSON.parse(answer.responseText);
      if (said.message) return `Not added: ${said.message}.`;
      if (said.code === 'request.too-large') return `Not added: it is larger than ${form.dataset.mostWords}.`;
      return `Not added (${said.code}).`;
    } catch {
      return 'Not added: the hub did not answer.';
    }
  }

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosen = file.files[0];
    if (!chosen || request) return;
    if (chosen.size > Number(form.dataset.most)) {
      show(false, `Not added: it is larger than ${form.dataset.mostWords}.`);
      return;
    }
    request = new XMLHttpRequest();
    request.open('POST', form.action);
    request.setRequestHeader('X-CSRF-Token', form.dataset.token);
    request.setRequestHeader('Content-Type', 'application/octet-stream');
    request.upload.addEventListener('progress', (sent) => {
      const percent = Math.floor((100 * sent.loaded) / sent.total);
      bar.value = percent;
      // A screen reader is told every tenth.
      say(percent < 100 ? `${percent - (percent % 10)} % uploaded` : 'Uploaded. The hub checks it.');
    });
    request.addEventListener('loadend', () => {
      const answer = request;
      request = null;
      if (answer.status === 201) location.assign(`/releases/${JSON.parse(answer.responseText).target}`);
      else if (answer.status === 401) location.assign('/login?target=/releases');
      else show(false, answer.wasStopped ? 'Stopped: nothing was added.' : reasonOf(answer));
    });
    bar.value = 0;
    say('0 % uploaded');
    show(true, '');
    request.send(chosen);
  });

  stop.addEventListener('click', () => {
    if (!request) return;
    request.wasStopped = true;
    request.abort();
    add.focus();
  });
})();
