// Comfort only: every page does its work without this.
'use strict';

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select')) return;
  if (event.key === '/') {
    const find = document.getElementById('find');
    if (find) {
      event.preventDefault();
      find.focus();
      find.select();
    }
    return;
  }
  for (const link of document.querySelectorAll('a[data-keys]')) {
    if (link.dataset.keys.split(' ').includes(event.key)) {
      event.preventDefault();
      link.click();
      return;
    }
  }
});

// The step that is shown stays in sight in a long list.
document.querySelector('[aria-current=step]')?.scrollIntoView({ block: 'nearest' });
