// Comfort only: every page does its work without this.
'use strict';

for (const input of document.querySelectorAll('input[type=password][data-show]')) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'reveal';
  button.setAttribute('aria-controls', input.id);
  const say = shown => {
    button.textContent = shown ? input.dataset.hide : input.dataset.show;
    button.setAttribute('aria-pressed', String(shown));
    button.setAttribute('aria-label', `${button.textContent}: ${input.labels[0].textContent}`);
  };
  button.addEventListener('click', () => {
    const shown = input.type === 'password';
    input.type = shown ? 'text' : 'password';
    say(shown);
  });
  say(false);
  input.after(button);
  // Password managers and autocomplete go by the type at submission.
  input.form.addEventListener('submit', () => { input.type = 'password'; say(false); });
}

// A second click while the first is on its way. The server takes both for one sign-up anyway.
for (const form of document.querySelectorAll('form[data-sending]')) {
  const button = form.querySelector('button[type=submit]');
  const words = button.textContent;
  let sent = false;
  form.addEventListener('submit', event => {
    if (sent) {
      event.preventDefault();
      return;
    }
    sent = true;
    button.setAttribute('aria-disabled', 'true');
    button.textContent = form.dataset.sending;
  });
  // Back again, from the browser's cache of pages.
  window.addEventListener('pageshow', () => {
    sent = false;
    button.removeAttribute('aria-disabled');
    button.textContent = words;
  });
}
