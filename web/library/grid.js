/** The items in view, and no others, in an element as high as the whole list; the page itself scrolls. */

import { Component, el, setAttr } from '../dom.js';
import { Catalogue } from './catalogue.js';
import { TableHead } from './filters.js';
import { measure, Rows } from './layout.js';
import { Mover, Shelf } from './shelf.js';

/* Rows beyond what is in view. */
const BEYOND = 1;
/* A scroll is over when it has rested for this long; then pictures come. */
const REST_MS = 90;
/* A pointer that was moved within this time is looked at. */
const POINTING_MS = 4000;

/** What has the focus goes: it goes on at the view's beginning, without a jump. @param {Element} node */
export function leave(node) {
  const view = node.closest('main > [data-view]');
  if (view instanceof HTMLElement) view.focus({ preventScroll: true });
}

export class VideoGrid extends Component {
  /** @type {Catalogue} */
  catalogue;
  rows = new Rows();
  /** @type {Layout} */
  layout = 'grid';
  /** @type {Set<string>} */
  failed = new Set();
  /** How many came above what is in view since it was at the beginning. */
  above = 0;
  #head = new TableHead();
  #body = el('div', { class: 'rows', role: 'presentation' });
  #shelf = new Shelf(this.#body, this.rows);
  #active = { index: 0, id: '' };
  #mover = new Mover();
  #scroll = 0;
  #top = 0;
  #view = 0;
  #pointed = { index: -1, time: 0 };
  #focusWanted = false;
  /** @type {Timer} */
  #rest;
  #scrolling = false;
  /** A place to go to once the list is there: its index, and how far it is below the top of the view. @type {Position | null} */
  #goal = null;
  #width = 0;
  /** How far down the list the last drawing was. */
  #drawnTop = 0;

  /** @param {Api} api */
  connect(api) {
    this.catalogue = new Catalogue(api, () => this.#anchor());
    this.catalogue.addEventListener('change', (event) => this.#changed(/** @type {CustomEvent} */ (event).detail));
    this.setAttribute('role', 'grid');
    this.setAttribute('aria-label', 'Videos');
    this.append(this.#head, this.#body);
    this.addEventListener('keydown', (event) => this.#key(event));
    this.addEventListener('focusin', (event) => this.#focused(event));
    this.addEventListener('pointermove', (event) => this.#point(event), { passive: true });
    addEventListener('scroll', () => this.#scrolled(), { passive: true });
    // The page's height too: what stands above it may come, go and grow.
    const sizes = new ResizeObserver(() => this.invalidate());
    sizes.observe(this);
    sizes.observe(document.body);
    addEventListener('resize', () => this.invalidate());
    return this.#head;
  }

  /** @param {Question} question what the head of the table says */
  headShow(question) {
    this.#head.show(question);
  }

  /** @param {Layout} layout */
  setLayout(layout) {
    if (layout === this.layout && this.hasAttribute('data-layout')) return;
    this.layout = layout;
    setAttr(this, 'data-layout', layout);
    this.#head.hidden = layout !== 'table'; // before it is measured where the rows begin
    this.#shelf.setLayout(layout);
    this.#width = 0; // measured anew
    this.invalidate();
  }

  /** Where one is in the list, to come back to. */
  get position() {
    const index = Math.max(0, this.rows.indexAt(Math.floor(Math.max(0, this.#virtual()) / this.rows.measures.row), 0));
    return { index, below: Math.round(this.rows.topOf(index) - this.#virtual()) };
  }

  /** Shows a place of the list as soon as it is there. @param {Position} position */
  goTo(position) {
    this.#goal = position;
    this.invalidate();
  }

  toTop() {
    this.rows.base = 0;
    this.rows.lead = 0;
    this.#active = { index: 0, id: '' };
    scrollTo({ top: 0 });
    this.#mover.next();
    this.invalidate();
  }

  focusActive() {
    this.#focusWanted = true;
    this.invalidate();
  }

  /** The element that had the focus may show another video by then. @returns {() => void} makes the active one of now active again */
  keepActive() {
    const active = { ...this.#active };
    return () => {
      this.#active = active;
      this.focusActive();
    };
  }

  /** How far the top of the view is below the beginning of the whole list. */
  #virtual() {
    return this.#scroll - this.#top + this.rows.base;
  }

  #scrolled() {
    if (!this.isConnected || this.offsetParent === null) return;
    this.#scrolling = true;
    clearTimeout(this.#rest);
    this.#rest = setTimeout(() => {
      this.#scrolling = false;
      this.dispatchEvent(new Event('rest'));
      this.invalidate();
    }, REST_MS);
    this.invalidate();
  }

  /** @param {{ reset: boolean, shift: number | null, from: number | null }} detail */
  #changed({ reset, shift, from }) {
    const { catalogue, rows } = this;
    if (reset) {
      rows.lead = 0;
      this.above = 0;
      this.#active = { index: this.#goal?.index ?? 0, id: '' };
      if (this.#goal === null) this.#goal = { index: 0, below: 0 };
    } else if (shift !== null) {
      if (!this.#scrolling) this.#mover.next();
      const grown = catalogue.total - rows.total;
      if (from !== null && shift !== 0) {
        const moved = rows.shift(from, from + shift);
        rows.total = catalogue.total;
        this.#moveBy(moved * rows.measures.row);
        this.#active.index = Math.max(0, this.#active.index + shift);
        if (shift > 0 && grown > 0) this.above += Math.min(shift, grown);
      }
    }
    this.invalidate();
  }

  /** Everything is that much lower; what is in view stays where it is. @param {number} px */
  #moveBy(px) {
    if (px === 0) return;
    this.#setHeight();
    if (this.rows.capped) this.rows.base += px;
    else {
      scrollTo({ top: scrollY + px, behavior: 'instant' });
      this.#scroll = scrollY;
    }
  }

  #setHeight() {
    this.#body.style.height = `${this.rows.height}px`;
  }

  /** What a person looks at: what has the focus or is pointed at, or else the first in view. Null at the beginning of the list, where new ones are what one wants to see. */
  #anchor() {
    const ids = new Map();
    const { rows, catalogue } = this;
    const top = Math.max(0, this.#virtual());
    const first = Math.max(0, rows.indexAt(Math.ceil(top / rows.measures.row), 0));
    const last = rows.indexAt(Math.floor((top + this.#view) / rows.measures.row), rows.measures.columns - 1);
    for (let index = first; index <= last; index++) {
      const video = catalogue.at(index);
      if (video) ids.set(video.id, index);
    }
    const held = (/** @type {number} */ index) => index >= first && index <= last && catalogue.at(index) !== undefined;
    if (this.contains(document.activeElement) && held(this.#active.index)) return { index: this.#active.index, ids };
    if (performance.now() - this.#pointed.time < POINTING_MS && held(this.#pointed.index)) return { index: this.#pointed.index, ids };
    if (top < rows.measures.row / 2) return null;
    return { index: first, ids };
  }

  /** @param {PointerEvent} event */
  #point(event) {
    if (event.pointerType !== 'mouse') return;
    const item = this.#shelf.itemOf(event.target);
    this.#pointed = { index: item ? item.index : -1, time: performance.now() };
  }

  /** @param {FocusEvent} event */
  #focused(event) {
    const item = this.#shelf.itemOf(event.target);
    if (!item) return;
    this.#active = { index: item.index, id: item.video?.id ?? '' };
    this.invalidate();
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.altKey || event.metaKey || event.shiftKey || this.#head.contains(/** @type {Node} */ (event.target))) return;
    const { rows, catalogue } = this;
    const { columns, row } = rows.measures;
    const page = Math.max(1, Math.floor(this.#view / row)) * columns;
    const last = catalogue.total - 1;
    const { index } = this.#active;
    const column = rows.columnOf(index);
    /** @type {Record<string, number>} */
    const keys = {
      ArrowRight: index + 1, ArrowLeft: index - 1, ArrowDown: index + columns, ArrowUp: index - columns, PageDown: index + page, PageUp: index - page,
      Home: event.ctrlKey ? 0 : index - column, End: event.ctrlKey ? last : index + columns - 1 - column,
    };
    if (!Object.hasOwn(keys, event.key) || (event.ctrlKey && !['Home', 'End'].includes(event.key))) return;
    event.preventDefault();
    if (last < 0) return;
    let next = keys[event.key];
    if (event.key === 'ArrowUp' && next < 0) next = index;
    if (event.key === 'ArrowDown' && next > last) next = rows.rowOf(index) === rows.rowOf(last) ? index : last;
    next = Math.max(0, Math.min(next, last));
    this.#active = { index: next, id: catalogue.at(next)?.id ?? '' };
    this.#reveal(next);
    this.focusActive();
  }

  /** Scrolls as little as it takes to see an item whole. @param {number} index */
  #reveal(index) {
    const { rows } = this;
    const above = this.#covered();
    const top = rows.topOf(index) - rows.base + this.#top;
    const bottom = top + rows.measures.row;
    const low = this.#scroll + above;
    const high = this.#scroll + innerHeight;
    let target = this.#scroll;
    if (top < low) target = rows.rowOf(index) === 0 ? 0 : top - above - 8;
    else if (bottom > high) target = bottom - innerHeight + 8;
    if (target === this.#scroll) return;
    if (rows.capped && Math.abs(target - this.#scroll) > innerHeight * 2) {
      this.goTo({ index, below: 0 });
      return;
    }
    scrollTo({ top: target, behavior: 'instant' });
  }

  /** How much of the view is covered by what stays at its top. */
  #covered() {
    const bar = document.querySelector('.library-bar');
    const sticky = bar ? Math.max(0, bar.getBoundingClientRect().bottom) : 0;
    return sticky + (this.layout === 'table' ? this.#head.offsetHeight : 0);
  }

  update() {
    // Nothing is left: what it held goes, also where it is hidden already.
    if (this.catalogue.total === 0) {
      if (this.contains(document.activeElement)) leave(this);
      this.#shelf.show(0, -1, this.catalogue, this.failed);
    }
    if (this.offsetParent === null) return; // nothing is in it, or another view is shown
    const width = this.clientWidth;
    this.#view = innerHeight;
    if (width !== this.#width) this.#measure(width);
    const { rows, catalogue } = this;
    rows.total = catalogue.total;
    this.#setHeight();
    this.#top = Math.round(this.#body.getBoundingClientRect().top + scrollY);
    if (this.#goal && catalogue.known && !catalogue.loading) this.#arrive(this.#goal);
    const before = this.#scroll;
    this.#scroll = scrollY;
    rows.scrolled(this.#scroll - this.#top, before - this.#top, this.#view);
    if (this.#virtual() < rows.measures.row / 2) {
      this.above = 0;
      // At the beginning nothing stands before the first.
      if (rows.lead && !this.#scrolling && !this.#anchor()) {
        rows.lead = 0;
        this.#mover.next();
      }
    }
    this.#render();
    this.dispatchEvent(new Event('seen'));
  }

  /** @param {number} width */
  #measure(width) {
    const rem = parseFloat(getComputedStyle(document.documentElement).fontSize);
    const next = measure(this.layout, width, rem);
    if (this.#width && next.columns !== this.rows.measures.columns) this.#goal ??= this.position;
    this.#width = width;
    if (next.columns !== this.rows.measures.columns) this.rows.lead = 0;
    this.rows.measures = next;
    this.style.setProperty('--columns', String(next.columns));
    this.style.setProperty('--row', `${next.row}px`);
    this.style.setProperty('--gap', `${next.gap}px`);
  }

  /** @param {Position} goal */
  #arrive({ index, below }) {
    const { rows } = this;
    this.#goal = null;
    const top = index === 0 && below >= 0 ? 0 : rows.topOf(Math.min(index, Math.max(0, rows.total - 1))) - below;
    const reach = Math.max(0, rows.height - this.#view);
    if (rows.capped && top > 0) {
      const scroll = (top / Math.max(1, rows.full - this.#view)) * reach;
      rows.base = top - scroll;
      scrollTo({ top: scroll + this.#top, behavior: 'instant' });
      this.#scroll = scrollY;
    } else {
      scrollTo({ top: top <= 0 ? 0 : top + this.#top, behavior: 'instant' });
    }
  }

  #render() {
    const { rows, catalogue } = this;
    const { row: height, columns } = rows.measures;
    const top = this.#virtual();
    const first = Math.max(0, Math.floor(top / height) - BEYOND);
    const last = Math.min(rows.rows - 1, Math.floor((top + this.#view) / height) + BEYOND);
    // What has the focus may be used for another video, or go out of view.
    const focused = document.activeElement;
    const within = focused === this || this.#body.contains(focused);
    const moving = this.#mover.begin(this.#shelf.items.values(), this.#drawnTop);
    this.#drawnTop = top;
    const placed = this.#shelf.show(first, last, catalogue, this.failed);
    const header = this.layout === 'table' ? 1 : 0;
    setAttr(this, 'aria-rowcount', String(rows.rows + header));
    setAttr(this, 'aria-colcount', String(header ? 7 : columns));
    this.#focus(placed, within);
    if (moving) this.#mover.end(placed.values(), top);
    if (catalogue.known && last >= first) catalogue.want(Math.max(0, rows.indexAt(first, 0)), rows.indexAt(last, columns - 1));
    if (!this.#scrolling) for (const item of placed.values()) item.load();
  }

  /** Keeps the focus on the active item, and the way to it by Tab. @param {Map<number, Item>} placed @param {boolean} within it had it before */
  #focus(placed, within) {
    const { id } = this.#active;
    const byId = id ? this.#shelf.items.get(id) : undefined;
    if (byId) this.#active.index = byId.index;
    for (const item of placed.values()) setAttr(item.link, 'tabindex', item.index === this.#active.index ? '0' : '-1');
    const active = placed.get(this.#active.index);
    const focused = document.activeElement;
    // Out of view there is nothing to have the focus: the list has it, and arrows go on from there.
    setAttr(this, 'tabindex', active ? null : '0');
    if (active && (this.#focusWanted || within) && focused !== active.link) active.link.focus({ preventScroll: true });
    else if (!active && (within || this.#focusWanted)) this.focus({ preventScroll: true });
    this.#focusWanted = this.#focusWanted && !active;
  }
}

customElements.define('reeld-grid', VideoGrid);
