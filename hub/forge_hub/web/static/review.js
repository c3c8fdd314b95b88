// A clinician's word with one key, while the inference is in focus. Without it the buttons do the same.
'use strict';

(() => {
  const items = [...document.querySelectorAll('.review')];
  const told = document.getElementById('told');
  const WORDS = { right: ['approved', 'Approved'], wrong: ['rejected', 'Rejected'], other: ['relabelled', 'Relabelled'], open: ['hypothesis', 'Hypothesis'] };

  function go(item) {
    for (const each of items) each.tabIndex = each === item ? 0 : -1;
    item.focus();
    item.scrollIntoView({ block: 'nearest' });
  }

  async function say(item, verdict, instead = '') {
    const form = item.querySelector('form.word');
    if (item.dataset.busy || (verdict === 'open') === item.classList.contains('hypothesis')) return;
    item.dataset.busy = 'yes';
    const body = new URLSearchParams({ csrf_token: form.elements.csrf_token.value, verdict, instead });
    try {
      const answer = await fetch(form.action, { method: 'POST', body, headers: { Accept: 'application/json' } });
      if (!answer.ok) throw new Error(String(answer.status));
      show(item, await answer.json());
    } catch {
      told.textContent = 'This could not be kept. Nothing was changed; try again.';
      item.querySelector('.by-slot').textContent = told.textContent;
    } finally {
      delete item.dataset.busy;
    }
  }

  function show(item, word) {
    const [state, words] = WORDS[word.verdict];
    item.classList.remove('hypothesis', 'approved', 'rejected', 'relabelled');
    item.classList.add(state);
    const instead = item.querySelector(`select option[value="${CSS.escape(word.instead)}"]`);
    const mark = document.createElement('span');
    mark.className = `state-mark ${state}`;
    mark.textContent = word.instead ? `${words}: ${instead ? instead.textContent : word.instead}` : words;
    item.querySelector('.state-slot').replaceChildren(mark);
    item.querySelector('.by-slot').textContent = word.verdict === 'open' ? 'taken back just now' : `by ${word.by}, just now`;
    told.textContent = `${item.getAttribute('aria-label')}: ${mark.textContent}`;
    const form = item.querySelector('form.word');
    for (const part of form.querySelectorAll('button, .instead')) part.hidden = word.verdict !== 'open' && part.value !== 'open';
    let back = form.querySelector('[value="open"]');
    if (!back) {
      back = document.createElement('button');
      back.className = 'quiet';
      back.name = 'verdict';
      back.value = 'open';
      back.textContent = 'Take back';
      back.setAttribute('aria-label', `Take back: ${item.getAttribute('aria-label')}`);
      form.append(back);
    }
    back.hidden = word.verdict === 'open';
    const next = items[items.indexOf(item) + 1];
    if (item.contains(document.activeElement)) go(word.verdict !== 'open' && next ? next : item);
  }

  for (const item of items) {
    item.addEventListener('focusin', () => { for (const each of items) each.tabIndex = each === item ? 0 : -1; });
    item.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || event.target.tagName === 'SELECT') return;
      const place = items.indexOf(item);
      const select = item.querySelector('select');
      switch (event.key) {
        case '1': say(item, 'right'); break;
        case '2': say(item, 'wrong'); break;
        case '3': if (select && !select.closest('[hidden]')) select.focus(); break;
        case '0': say(item, 'open'); break;
        case 'ArrowDown': if (items[place + 1]) go(items[place + 1]); break;
        case 'ArrowUp': if (items[place - 1]) go(items[place - 1]); break;
        default: return;
      }
      event.preventDefault();
    });
    item.querySelector('form.word').addEventListener('submit', (event) => {
      event.preventDefault();
      const { value } = event.submitter;
      const select = item.querySelector('select');
      if (value === 'other' && !select.value) { select.focus(); return; }
      say(item, value, value === 'other' ? select.value : '');
    });
    const select = item.querySelector('select');
    if (select) {
      select.addEventListener('keydown', (event) => {
        if (event.key === 'Enter' && select.value) { event.preventDefault(); item.focus(); say(item, 'other', select.value); }
        if (event.key === 'Escape') item.focus();
      });
    }
  }
  if (items.length) items[0].tabIndex = 0;
})();
