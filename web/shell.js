/** The frame of the page: where one is, what stands around the views, and the keys that work everywhere. */

import { Component, el, find, recall, remember, setAttr, setText } from './dom.js';
import { decode, plainName } from './format.js';
import { isCounted } from './jobs.js';

// * Where one is in the page.

/** @type {Readonly<Record<string, ViewName>>} */
const VIEWS = { '/': 'library', '/scans': 'scans', '/activity': 'activity' };

/** @param {URL} url @returns {PagePlace | null} */
export function placeOf(url) {
  if (url.origin !== location.origin) return null;
  const id = /^\/videos\/([^/]+)$/.exec(url.pathname)?.[1];
  if (id) return { view: 'video', id: decode(id), params: url.searchParams };
  const view = Object.hasOwn(VIEWS, url.pathname) ? VIEWS[url.pathname] : null;
  return view && { view, id: '', params: url.searchParams };
}

/** @param {string} id */
export const videoHref = (id) => `/videos/${encodeURIComponent(id)}`;

export class Router extends EventTarget {
  /** @type {PagePlace} */
  place = placeOf(new URL(location.href)) ?? { view: 'library', id: '', params: new URLSearchParams() };

  start() {
    history.scrollRestoration = 'manual';
    addEventListener('popstate', () => this.#arrive());
    document.addEventListener('click', (event) => this.#click(event));
  }

  /** A plain click on a link to a place of the page does not load it anew. @param {MouseEvent} event */
  #click(event) {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a[href]') : null;
    if (!(link instanceof HTMLAnchorElement) || link.target || link.hasAttribute('download')) return;
    const url = new URL(link.href);
    if (!placeOf(url) || (url.hash && url.pathname === location.pathname && url.search === location.search)) return;
    event.preventDefault();
    this.go(url.href);
  }

  /** Goes to an address of the page. @param {string} address @param {{ replace?: boolean }} [options] replace: in the place of where one is */
  go(address, { replace = false } = {}) {
    const url = new URL(address, location.href);
    if (replace || url.href === location.href) history.replaceState({ from: history.state?.from ?? null }, '', url);
    else history.pushState({ from: this.place.view }, '', url);
    this.#arrive();
  }

  #arrive() {
    this.place = placeOf(new URL(location.href)) ?? this.place;
    this.dispatchEvent(new Event('change'));
  }
}

/** @type {Readonly<Record<ViewName, string>>} */
const TITLES = { library: 'Library', video: 'Video', scans: 'Scans', activity: 'Activity' };

export class Shell {
  /** @type {ViewName | null} */
  #shown = null;
  /** Of the video that is shown. */
  #id = '';
  library = '/';
  /** How far each view was scrolled when it was left. @type {Map<ViewName, number>} */
  #scrolled = new Map();

  /** @param {Router} router */
  constructor(router) {
    this.router = router;
    router.addEventListener('change', () => this.#show());
    this.#show();
  }

  #show() {
    const { view, id } = this.router.place;
    for (const link of document.querySelectorAll('nav.views a')) {
      const marked = link.getAttribute('data-view') === (view === 'video' ? 'library' : view);
      setAttr(link, 'aria-current', marked ? (view === 'video' ? 'true' : 'page') : null);
    }
    if (view === 'library') this.library = location.pathname + location.search;
    const back = view === 'library' ? '/' : this.library;
    for (const link of document.querySelectorAll('a[data-view="library"], a.back')) setAttr(link, 'href', back);
    if (view === this.#shown && id === this.#id) return; // another video is another page
    const before = this.#shown;
    if (before) this.#scrolled.set(before, scrollY);
    this.#shown = view;
    this.#id = id;
    for (const section of document.querySelectorAll('main > [data-view]')) {
      /** @type {HTMLElement} */ (section).hidden = section.getAttribute('data-view') !== view;
    }
    document.documentElement.dataset.view = view;
    if (view !== 'video') document.title = `${TITLES[view]} – reeld`; // a video has its own
    scrollTo(0, view === 'video' ? 0 : this.#scrolled.get(view) ?? 0);
    // What had the focus is not there any more, or was a link to here: it goes on at the view's beginning.
    if (before) find(`main > [data-view="${view}"]`, HTMLElement).focus({ preventScroll: true });
  }
}

export class Notices extends Component {
  /** @type {Map<string, HTMLElement>} */
  #lines = new Map();

  build() {
    this.setAttribute('role', 'region');
    this.setAttribute('aria-label', 'Notices');
  }

  /** @param {string} key @param {string} text @param {{ label: string, act: () => void }} [action] */
  say(key, text, action) {
    const line = el('div', { class: 'notice', role: 'alert' }, el('p', { text: plainName(text) }));
    if (action) {
      line.append(el('button', {
        text: action.label, onclick: () => {
          this.clear(key);
          action.act();
        },
      }));
    } else {
      line.append(el('button', { class: 'plain', text: 'Close', onclick: () => this.clear(key) }));
    }
    const before = this.#lines.get(key);
    if (before) before.replaceWith(line);
    else this.append(line);
    this.#lines.set(key, line);
  }

  /** @param {string} key */
  clear(key) {
    this.#lines.get(key)?.remove();
    this.#lines.delete(key);
  }
}

customElements.define('reeld-notices', Notices);

/** @type {Record<Mode, [label: string, text: string]>} */
const WORDS = {
  connecting: ['Connecting', 'The page has just been opened.'],
  live: ['Live', 'News arrives the moment it happens.'],
  streaming: ['Live over HTTP', 'WebSocket does not get through; news arrives all the same.'],
  polling: ['Polling', 'Only plain requests get through; the server is asked for news again and again.'],
  reading: ['Rereading', 'The live channel is closed; the state is read again every few seconds.'],
  reconnecting: ['Reconnecting', 'The server does not answer. What is shown may be old.'],
  locked: ['Locked', 'The server asks for a token. What is shown may be old.'],
};

export class ConnectionStatus extends Component {
  /** @type {Channel} */
  #channel;
  #label = el('span', { class: 'connection-label' });
  #text = el('span', { class: 'connection-text' });
  #retry = el('button', { class: 'plain', text: 'Try now', hidden: true, onclick: () => this.#channel.retry() });

  build() {
    this.append(el('span', { class: 'connection-words', role: 'status' },
      el('span', { class: 'dot', 'aria-hidden': 'true' }), this.#label, ' ', this.#text), this.#retry);
  }

  /** @param {Channel} channel */
  connect(channel) {
    this.#channel = channel;
    channel.addEventListener('mode', () => this.update());
    this.update();
  }

  update() {
    const { mode } = this.#channel;
    setAttr(this, 'data-mode', mode);
    setText(this.#label, WORDS[mode][0]);
    setText(this.#text, WORDS[mode][1]);
    this.#retry.hidden = mode !== 'reconnecting' && mode !== 'reading';
  }
}

customElements.define('reeld-connection', ConnectionStatus);

export class TokenDialog extends Component {
  /** @type {((token: string | null) => void) | null} */
  #answer = null;
  #why = el('p', { class: 'problem', role: 'alert', id: 'token-why' });
  #field = el('input', {
    type: 'password', id: 'token', name: 'token', autocomplete: 'current-password', required: true,
    'aria-describedby': 'token-why', spellcheck: 'false',
  });
  #dialog = el('dialog', { 'aria-labelledby': 'token-title', onclose: () => this.#done(null) },
    el('form', { class: 'dialog', onsubmit: (event) => this.#submit(event) },
      el('h2', { id: 'token-title', text: 'This server asks for a token' }),
      el('p', { text: 'It is the one that the server was started with (--token-file).' }),
      el('label', { for: 'token', text: 'Token' }), this.#field, this.#why,
      el('div', { class: 'actions' },
        el('button', { class: 'plain', text: 'Not now', onclick: () => this.#dialog.close() }),
        el('button', { type: 'submit', class: 'primary', text: 'Continue' }))));

  build() {
    this.append(this.#dialog);
  }

  /** @param {string} why what was wrong with the last one @returns {Promise<string | null>} */
  ask(why) {
    setText(this.#why, why);
    this.#field.value = '';
    if (!this.#dialog.open) this.#dialog.showModal();
    this.#field.focus();
    return new Promise((resolve) => {
      this.#answer = resolve;
    });
  }

  /** @param {Event} event */
  #submit(event) {
    event.preventDefault();
    const token = this.#field.value.trim();
    this.#done(token);
    this.#dialog.close();
  }

  /** @param {string | null} token */
  #done(token) {
    this.#answer?.(token);
    this.#answer = null;
  }
}

customElements.define('reeld-token-dialog', TokenDialog);

const OFF = 'reeld.keys-off';

/** Single letters can be in the way of speech input and of those who press keys by chance. */
const areOff = () => recall(OFF) !== null;

/** @type {readonly (readonly [string, readonly (readonly [string[], string])[]])[]} */
const KEYS = Object.freeze([
  ['Everywhere', [[['/'], 'Search the library'], [['1'], 'Library'], [['2'], 'Scans'], [['3'], 'Activity'], [['?'], 'These keys']]],
  ['In the library', [[['←', '↑', '→', '↓'], 'From video to video'], [['Page up', 'Page down'], 'A view further'], [['Home', 'End'], 'Ends of a row'],
    [['Ctrl Home', 'Ctrl End'], 'Ends of the list'], [['Enter'], 'Open the video'], [['↓'], 'From the search to the list']]],
  ['At a video', [[['Space'], 'Play or pause, on the position'], [['←', '→'], '5 seconds back or on, on the position'], [['Escape'], 'Back to the library']]],
]);

export class Help extends Component {
  #on = el('input', { type: 'checkbox', onchange: () => remember(OFF, this.#on.checked ? null : '') });
  #closed = () => {};
  #dialog = el('dialog', { class: 'help wide', 'aria-labelledby': 'help-title', onclose: () => this.#closed() }, el('div', { class: 'dialog' },
    el('h2', { id: 'help-title', text: 'Keys' }),
    el('div', { class: 'help-groups' }, ...KEYS.map(([title, keys]) => el('section', {}, el('h3', { text: title }),
      el('dl', { class: 'keys' }, ...keys.map(([names, text]) => el('div', {}, el('dt', {}, ...names.map((name) => el('kbd', { text: name }))), el('dd', { text }))))))),
    el('label', { class: 'check' }, this.#on, 'Keys that are a single character work everywhere'),
    el('div', { class: 'actions' }, el('button', { class: 'primary', text: 'Close', onclick: () => this.#dialog.close() }))));

  build() {
    this.append(this.#dialog);
  }

  /** @param {() => void} closed called when it is closed again */
  open(closed) {
    this.#closed = closed;
    this.#on.checked = !areOff();
    if (!this.#dialog.open) this.#dialog.showModal();
  }
}

customElements.define('reeld-help', Help);

/** @param {Element | null} node */
const takesText = (node) => node instanceof HTMLElement && (node.isContentEditable || node.matches('input:not([type="checkbox"]), textarea, select'));

/** @param {Record<string, () => void>} actions by key */
export function listen(actions) {
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || takesText(document.activeElement) || document.querySelector('dialog[open]')) return;
    if (!Object.hasOwn(actions, event.key) || areOff()) return;
    event.preventDefault();
    actions[event.key]();
  });
}

/** A short word on what runs now, seen from every view. */
export class ScansNews extends Component {
  /** @type {Jobs} */
  #jobs;

  /** @param {Jobs} jobs */
  connect(jobs) {
    this.#jobs = jobs;
    jobs.addEventListener('change', () => this.invalidateSoon());
  }

  update() {
    const going = this.#jobs.going();
    const [job] = going;
    setText(this, !job ? '' : going.length > 1 ? String(going.length) : isCounted(job) ? `${Math.floor(Number(job.progress) * 100)} %` : '…');
    this.hidden = !job;
  }
}

customElements.define('reeld-scans-news', ScansNews);
