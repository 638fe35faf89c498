/** Makes elements, and changes them once a frame. */

/* Numbers that change faster can't be read. */
const SOON_MS = 100;
const COPIED_MS = 1200;

/**
 * Makes an element; there is no way to give it markup. A button submits nothing unless its type says so.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag @param {Props} [props] @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  if (tag === 'button') node.setAttribute('type', 'button');
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (typeof value === 'function') node.addEventListener(name.slice(2), value);
    else if (name === 'text') node.textContent = String(value);
    else if (typeof value === 'boolean') node.toggleAttribute(name, value);
    else node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

/** Only when it differs, so that nothing is laid out for nothing. @param {Node} node @param {string} text */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** @param {Element} node @param {string} name @param {string | null} value */
export function setAttr(node, name, value) {
  if (value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== value) node.setAttribute(name, value);
}

/** The element with that selector; it must be there. @template {Element} T @param {string} selector @param {new () => T} type */
export function find(selector, type) {
  const node = document.querySelector(selector);
  if (!(node instanceof type)) throw new Error(`the page lacks ${selector}`);
  return node;
}

const BUSY = '[aria-disabled="true"]';

/** That it waits for an answer and takes no press until then. A disabled button would lose the focus. @param {HTMLButtonElement} button @param {boolean} is */
export const setBusy = (button, is) => setAttr(button, 'aria-disabled', is ? 'true' : null);

// Space, Enter, also in a field of the button's form, and the pointer all come as a click.
document.addEventListener('click', (event) => {
  if (!(event.target instanceof Element) || !event.target.closest(BUSY)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
}, { capture: true });

const TAKES_FOCUS = 'button:not(:disabled), summary, a[href], input:not(:disabled), select:not(:disabled), textarea:not(:disabled)';

/**
 * Gives the focus to the first in `box` that is shown and takes it; else to what stands around, at last to the view.
 * @param {Element} box @param {FocusOptions} [options]
 */
export function focusIn(box, options) {
  for (let around = /** @type {Element | null} */ (box); around; around = around.parentElement) {
    const first = [...around.querySelectorAll(TAKES_FOCUS)].find((node) => node.checkVisibility());
    const taker = first ?? (around.matches('main > [data-view]') ? around : null);
    if (!(taker instanceof HTMLElement)) continue;
    taker.focus(options);
    return;
  }
}

/**
 * Changes what is in `box`: where what has the focus is hidden by that, or gone, the focus goes on from there. Nothing scrolls, for one
 * may look elsewhere. @param {Element} box @param {() => void} change
 */
export function keepFocus(box, change) {
  const before = document.activeElement;
  const here = before !== null && box.contains(before);
  change(); // in which the browser may take the focus away already
  const now = document.activeElement;
  if (here && (now === document.body || (now === before && !before.checkVisibility()))) focusIn(box, { preventScroll: true });
}

/** @type {Set<Component>} */
const dirty = new Set();
let queued = false;

function flush() {
  queued = false;
  const now = [...dirty];
  dirty.clear();
  for (const component of now) if (component.isConnected) component.update();
}

/** An element that redraws itself at most once a frame, however many events came in between. */
export class Component extends HTMLElement {
  #drawn = 0;
  /** @type {Timer} */
  #soon;

  connectedCallback() {
    if (!this.firstChild) this.build();
  }

  /** Makes what is in it, once it is in the page. */
  build() {}

  invalidate() {
    dirty.add(this);
    if (queued) return;
    queued = true;
    requestAnimationFrame(flush);
  }

  /** The same for what changes all the time: ten times a second are enough. */
  invalidateSoon() {
    if (this.#soon !== undefined) return;
    this.#soon = setTimeout(() => {
      this.#soon = undefined;
      this.#drawn = performance.now();
      this.invalidate();
    }, Math.max(0, this.#drawn + SOON_MS - performance.now()));
  }

  update() {}
}

/** Tells people who listen instead of looking; milestones only. @param {string} text */
export const announce = (text) => setText(find('#announcer', HTMLElement), text);

/** A button that copies a text, and says that it did. @param {string} label @param {() => string} text */
export function copyButton(label, text) {
  const button = el('button', {
    text: label, onclick: async () => {
      const said = (await copy(text())) ? 'Copied' : 'Could not copy';
      setText(button, said);
      announce(`${said}.`);
      setTimeout(() => setText(button, label), COPIED_MS);
    },
  });
  return button;
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over plain HTTP from another machine there is no clipboard but the old way.
    const before = document.activeElement;
    const field = el('textarea', { class: 'visually-hidden', 'aria-hidden': 'true', readonly: true });
    field.value = text;
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    if (before instanceof HTMLElement) before.focus();
    return done;
  }
}

/** What is remembered in this browser under a name; null: nothing, or storage is switched off. @param {string} name */
export function recall(name) {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

/** @param {string} name @param {string | null} text null: forgets it */
export function remember(name, text) {
  try {
    if (text === null) localStorage.removeItem(name);
    else localStorage.setItem(name, text);
  } catch {
    // storage is switched off; nothing is lost
  }
}
