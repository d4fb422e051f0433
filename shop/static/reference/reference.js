// The search of the reference: an index that is loaded when somebody first looks for something.
import { OPTIONS } from './index.js';
import MiniSearch from './minisearch.js';

const box = document.querySelector('#search');
const list = document.querySelector('#found');
const here = new URL('index.json', import.meta.url);
const LABELS = { queries: 'query', mutations: 'mutation', objects: 'object', inputs: 'input', values: 'enum or scalar' };
const SHOWN = 30;

let index;
const loaded = () =>
  (index ??= fetch(here)
    .then((response) => response.text())
    .then((text) => MiniSearch.loadJSON(text, OPTIONS)));

function item({ id, name, kind, about }) {
  const link = document.createElement('a');
  link.href = id;
  const title = document.createElement('code');
  title.textContent = name;
  const label = document.createElement('span');
  label.className = 'kind';
  label.textContent = LABELS[kind];
  const text = document.createElement('span');
  text.className = 'about';
  text.textContent = about;
  link.append(title, label, text);
  const row = document.createElement('li');
  row.append(link);
  return row;
}

async function search() {
  const wanted = box.value.trim();
  if (!wanted) {
    close();
    return;
  }
  const found = (await loaded()).search(wanted, {
    // Who types a whole name means it.
    boostDocument: (_, __, { name }) => (name.toLowerCase() === wanted.toLowerCase() ? 10 : 1),
  });
  // Somebody who types quickly is shown the last answer only.
  if (box.value.trim() !== wanted) return;
  const rows = found.slice(0, SHOWN).map(item);
  if (!rows.length) {
    const none = document.createElement('li');
    none.className = 'none';
    none.textContent = 'Nothing has that name, or says so.';
    rows.push(none);
  }
  list.replaceChildren(...rows);
  list.hidden = false;
}

function close() {
  list.hidden = true;
  list.replaceChildren();
}

// Up and down go through the results, and back to the box.
function move(event) {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!step || list.hidden) return;
  const links = [box, ...list.querySelectorAll('a')];
  const next = links[links.indexOf(document.activeElement) + step];
  if (next) {
    next.focus();
    event.preventDefault();
  }
}

box.addEventListener('focus', loaded, { once: true });
box.addEventListener('input', search);
box.form.addEventListener('submit', (event) => {
  event.preventDefault();
  list.querySelector('a')?.click();
});
box.form.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') {
    close();
    box.focus();
  } else move(event);
});
list.addEventListener('click', (event) => {
  if (event.target.closest('a')) close();
});
document.addEventListener('click', (event) => {
  if (!box.form.contains(event.target)) close();
});
document.addEventListener('keydown', (event) => {
  if (event.key === '/' && !event.target.closest('input, textarea')) {
    event.preventDefault();
    box.focus();
  }
});

// /docs/?q=cart is a search that can be linked to.
const asked = new URLSearchParams(location.search).get('q');
if (asked) {
  box.value = asked;
  search();
}

// The list beside a long page shows where one is.
function mark() {
  const names = document.querySelector('.names');
  names?.querySelector('[aria-current]')?.removeAttribute('aria-current');
  const link = [...(names?.querySelectorAll('a') ?? [])].find(({ hash }) => hash && hash === location.hash);
  if (!link) return;
  link.setAttribute('aria-current', 'true');
  names.scrollTop = link.offsetTop - names.clientHeight / 3;
}
addEventListener('hashchange', mark);
mark();
