/** The nodes of the items in view, used again for others while one scrolls; and how they glide when the list changes. */

import { el, setAttr, setText } from '../dom.js';
import { baseName, container, dirName, duration, moment, nameNode, pathNode, plainName, resolution, size, tail } from '../format.js';
import { videoHref } from '../shell.js';
import { codec, codecs, glyph, hdr, hue } from '../vocabulary.js';

/* So many folders of a path are shown; the whole path is the tooltip. */
const FOLDERS = 2;
/* What a picture is asked for with; the server gives the nearest that it has. */
const PICTURE_WIDTH = 480;
/* One that could not be had is asked for again after so long: the server may have been away, or too busy (503). */
const AGAIN_MS = 30000;

/** @param {Video} video */
export function pictureOf(video) {
  // Of a file that is gone there is the picture that was made of it, or none.
  if (!video.thumbnail_url || video.thumbnail === 'failed' || (video.missing_since && video.thumbnail !== 'ready')) return null;
  const url = new URL(video.thumbnail_url, location.href);
  url.searchParams.set('w', String(PICTURE_WIDTH));
  return url.href;
}

class Picture {
  #kind = el('span', { class: 'glyph-kind' });
  #codec = el('span', { class: 'glyph-codec' });
  #image = el('img', { alt: '', decoding: 'async', draggable: 'false', hidden: true });
  /** What is to be shown, and what was asked for last. */
  #wanted = '';
  #asked = '';
  /** When what was asked for last could not be had. @type {number | null} */
  #failedAt = null;
  node = el('div', { class: 'picture', 'aria-hidden': 'true' }, el('div', { class: 'glyph' }, this.#kind, this.#codec), this.#image);

  constructor() {
    this.#image.onload = () => this.#image.classList.add('there');
    this.#image.onerror = () => { // the placeholder stays; news of the picture asks again at once
      this.#hide();
      this.#failedAt = performance.now();
    };
  }

  /** @param {Video | null} video */
  set(video) {
    const [kind, name] = video ? glyph(video) : ['', ''];
    setText(this.#kind, kind);
    setText(this.#codec, name);
    this.node.style.setProperty('--hue', String(video ? hue(video.filename) : 200));
    const url = video && pictureOf(video);
    this.#wanted = url ?? '';
    // With its state: one that could not be had while it was pending is asked for again when it is ready.
    const asked = url ? `${url} ${video?.thumbnail}` : '';
    if (this.#asked && this.#asked !== asked) this.clear();
    return asked;
  }

  clear() {
    this.#hide();
    this.#asked = '';
  }

  #hide() {
    this.#image.hidden = true;
    this.#image.classList.remove('there');
    this.#image.removeAttribute('src');
    this.#failedAt = null;
  }

  /** @param {string} asked */
  load(asked) {
    const again = this.#failedAt !== null && performance.now() - this.#failedAt >= AGAIN_MS;
    if (!asked || (this.#asked === asked && !again)) return;
    this.#asked = asked;
    this.#failedAt = null;
    this.#image.hidden = false;
    this.#image.src = this.#wanted;
  }
}

/** @param {Video} video @param {boolean} failed @returns {[string, string, string][]} kind, label, meaning */
function badges(video, failed) {
  /** @type {[string, string, string][]} */
  const all = [];
  if (video.missing_since) all.push(['bad', 'Missing', 'Its file is gone']);
  if (failed) all.push(['bad', 'Failed', 'Its file could not be read when it was last looked at']);
  if (video.hdr) all.push(['hdr', hdr(video.hdr), 'High dynamic range']);
  if (video.subtitle_count > 0) all.push(['quiet', 'CC', 'Has subtitles']);
  return all;
}

export class Item {
  /** @type {Video | null} */
  video = null;
  /** Where it stands: px in the whole list. */
  x = 0;
  y = 0;
  index = -1;
  link = el('a', { class: 'item-link', tabindex: -1 });
  picture = new Picture();
  #marks = el('span', { class: 'marks' });
  #stamp = '';
  #asked = '';
  /** @type {HTMLElement} */
  node;
  /** @type {(video: Video) => void} */
  #fill;

  /** @param {Layout} layout */
  constructor(layout) {
    [this.node, this.#fill] = layout === 'table' ? this.#line() : this.#card();
  }

  /** @returns {[HTMLElement, (video: Video) => void]} */
  #card() {
    const time = el('span', { class: 'item-time' });
    const kind = el('span', { class: 'item-codec' });
    const facts = el('span', { class: 'item-facts' });
    const node = el('div', { class: 'item card', role: 'gridcell' },
      this.picture.node, this.#marks, kind, time, this.link, facts);
    return [node, (video) => {
      setText(time, video.duration_s == null ? '' : duration(video.duration_s));
      setText(kind, video.video_codec ? codec(video.video_codec) : '');
      setText(facts, [resolution(video), size(video.file_size)].filter((text) => text !== '–').join(' · '));
    }];
  }

  /** @returns {[HTMLElement, (video: Video) => void]} */
  #line() {
    const folder = el('span', { class: 'item-folder' });
    const meta = el('span', { class: 'item-meta' });
    const cells = ['time', 'resolution', 'codecs', 'container', 'size', 'added'].map((name) => el('div', { class: `cell cell-${name}`, role: 'gridcell' }));
    cells.forEach((cell, at) => setAttr(cell, 'aria-colindex', String(at + 2)));
    const node = el('div', { class: 'item line-item', role: 'presentation' },
      el('div', { class: 'cell cell-name', role: 'gridcell', 'aria-colindex': 1 }, this.picture.node,
        el('div', { class: 'cell-words' }, this.link, folder, meta), this.#marks), ...cells);
    return [node, (video) => {
      folder.replaceChildren(pathNode(tail(dirName(video.path), FOLDERS)));
      const said = [duration(video.duration_s), resolution(video), codecs(video), container(video.container, video.filename), size(video.file_size),
        moment(video.created_at)];
      cells.forEach((cell, at) => setText(cell, said[at]));
      setText(meta, [said[0], said[1], said[4], said[2]].filter((text) => text !== '–').join(' · '));
    }];
  }

  /** @param {Video | null} video @param {boolean} failed */
  set(video, failed) {
    if (video === this.video && video && failed === this.node.classList.contains('is-failed')) return;
    const stamp = video ? `${video.id} ${video.path} ${video.updated_at} ${video.missing_since} ${video.thumbnail} ${video.thumbnail_url} ${failed}` : '';
    this.video = video;
    if (stamp === this.#stamp && video) return;
    this.#stamp = stamp;
    this.#asked = this.picture.set(video);
    this.node.classList.toggle('waiting', !video);
    this.node.classList.toggle('is-missing', Boolean(video?.missing_since));
    this.node.classList.toggle('is-failed', failed);
    setAttr(this.link, 'href', video && videoHref(video.id));
    setAttr(this.link, 'aria-label', video ? null : 'Being read…');
    setAttr(this.node, 'title', video && plainName(video.path));
    if (!video) {
      this.link.replaceChildren();
      this.#marks.replaceChildren();
      return;
    }
    const name = nameNode(baseName(video.path));
    name.className = 'item-name';
    this.link.replaceChildren(name);
    this.#marks.replaceChildren(...badges(video, failed).map(([tone, text, title]) => el('span', { class: `mark mark-${tone}`, title, text })));
    this.#fill(video);
  }

  /** It stays in view: its picture may come. */
  load() {
    this.picture.load(this.#asked);
  }
}

const GLIDE = { duration: 320, easing: 'cubic-bezier(0.2, 0.7, 0.2, 1)' };
/* More than these at a time are not animated one by one. */
const MOVED_MAX = 80;
const ARRIVED_MAX = 24;

const still = matchMedia('(prefers-reduced-motion: reduce)');

export class Mover {
  #due = false;
  /** @type {Map<string, { x: number, y: number }>} */
  #before = new Map();
  #whole = true;

  next() {
    this.#due = true;
  }

  /** Before the items are placed anew: notes where they are in the view. @param {Iterable<Item>} items @param {number} top */
  begin(items, top) {
    if (!this.#due) return false;
    this.#due = false;
    this.#before.clear();
    this.#whole = true;
    for (const { video, x, y } of items) {
      if (video) this.#before.set(video.id, { x, y: y - top });
      else this.#whole = false;
    }
    return this.#before.size > 0 && !still.matches;
  }

  /** @param {Iterable<Item>} items @param {number} top */
  end(items, top) {
    /** @type {[Item, number, number][]} */
    const moved = [];
    const arrived = [];
    for (const item of items) {
      const before = item.video && this.#before.get(item.video.id);
      if (!item.video) continue;
      if (!before) arrived.push(item);
      else if (before.x !== item.x || Math.abs(before.y - (item.y - top)) > 1) moved.push([item, before.x - item.x, before.y - (item.y - top)]);
    }
    if (moved.length <= MOVED_MAX) {
      for (const [{ node }, x, y] of moved) node.animate([{ transform: `translate(${x}px, ${y}px)` }, { transform: 'none' }], GLIDE);
    }
    if (!this.#whole || arrived.length > ARRIVED_MAX) return;
    for (const { node } of arrived) {
      node.animate([{ opacity: 0, transform: 'translateY(-12px) scale(0.97)' }, { opacity: 1, transform: 'none' }], GLIDE);
      node.classList.add('arrived');
      node.addEventListener('animationend', () => node.classList.remove('arrived'), { once: true });
    }
  }
}

const SPARE_MAX = 60;

export class Shelf {
  /** @type {Layout} */
  layout = 'grid';
  /** @type {Map<string, Item>} */
  items = new Map();
  /** @type {Map<number, HTMLElement>} */
  #shown = new Map();
  /** @type {Item[]} */
  #spare = [];
  /** @type {HTMLElement[]} */
  #spareRows = [];

  /** @param {HTMLElement} body @param {Rows} rows */
  constructor(body, rows) {
    this.body = body;
    this.rows = rows;
  }

  /** @param {Layout} layout */
  setLayout(layout) {
    this.layout = layout;
    this.body.replaceChildren();
    this.#shown.clear();
    this.items.clear();
    this.#spare = [];
    this.#spareRows = [];
  }

  /** @param {EventTarget | null} target */
  itemOf(target) {
    const node = target instanceof Element ? target.closest('.item') : null;
    if (node) for (const item of this.items.values()) if (item.node === node) return item;
    return null;
  }

  /** @param {number} first @param {number} last @param {Catalogue} catalogue @param {Set<string>} failed */
  show(first, last, catalogue, failed) {
    const { rows } = this;
    const placed = this.#place(Math.max(0, rows.indexAt(first, 0)), Math.min(catalogue.total - 1, rows.indexAt(last, rows.measures.columns - 1)), catalogue, failed);
    for (let row = first; row <= last; row++) this.#fillRow(row, placed);
    this.#dropRows(first, last);
    return placed;
  }

  /** @param {number} first @param {number} last @param {Catalogue} catalogue @param {Set<string>} failed */
  #place(first, last, catalogue, failed) {
    const { rows } = this;
    const { columns, row: height, gap, width } = rows.measures;
    /** @type {Map<string, Item>} */
    const items = new Map();
    /** @type {Map<number, Item>} */
    const placed = new Map();
    /** @type {Set<string>} */
    const taken = new Set();
    /** @type {[number, string, Video | null][]} */
    const late = [];
    const put = (/** @type {number} */ index, /** @type {Video | null} */ video, /** @type {Item} */ item) => {
      item.set(video, Boolean(video && failed.has(video.id)));
      item.index = index;
      item.x = rows.columnOf(index) * (width + gap);
      item.y = rows.rowOf(index) * height;
      if (columns > 1) setAttr(item.node, 'aria-colindex', String(rows.columnOf(index) + 1));
      placed.set(index, item);
    };
    for (let index = first; index <= last; index++) {
      const video = catalogue.at(index) ?? null;
      const key = video && !items.has(video.id) && !taken.has(video.id) ? video.id : `#${index}`;
      const at = this.items.has(key) ? key : `#${index}`;
      const item = this.items.get(at);
      this.items.delete(at);
      if (item) put(index, video, item);
      else late.push([index, key, video]);
      if (item) items.set(key, item);
      else taken.add(key);
    }
    // What is not shown any more is used for what is new.
    this.#spare.push(...this.items.values());
    for (const [index, key, video] of late) {
      const item = this.#spare.pop() ?? new Item(this.layout);
      items.set(key, item);
      put(index, video, item);
    }
    if (this.#spare.length > SPARE_MAX) this.#spare.length = SPARE_MAX;
    this.items = items;
    return placed;
  }

  /** @param {number} number @param {Map<number, Item>} placed */
  #fillRow(number, placed) {
    const { rows } = this;
    let node = this.#shown.get(number);
    if (!node) {
      node = this.#spareRows.pop() ?? el('div', { class: 'row', role: 'row' });
      this.#shown.set(number, node);
    }
    setAttr(node, 'aria-rowindex', String(number + (this.layout === 'table' ? 2 : 1)));
    node.style.transform = `translateY(${number * rows.measures.row - rows.base}px)`;
    let at = 0;
    for (let column = 0; column < rows.measures.columns; column++) {
      const item = placed.get(rows.indexAt(number, column));
      if (!item) continue;
      const there = node.children[at];
      if (there !== item.node) move(node, item.node, there ?? null);
      item.node.style.gridColumnStart = String(column + 1);
      at++;
    }
    while (node.children.length > at) node.lastElementChild?.remove();
    // In the order of the list, for those who read it in that order.
    const after = this.#rowAfter(number);
    if (node.parentNode !== this.body || node.nextElementSibling !== after) move(this.body, node, after);
  }

  /** @param {number} number */
  #rowAfter(number) {
    let best = Infinity;
    for (const other of this.#shown.keys()) if (other > number && other < best) best = other;
    const node = this.#shown.get(best) ?? null;
    return node?.parentNode === this.body ? node : null;
  }

  /** @param {number} first @param {number} last */
  #dropRows(first, last) {
    for (const [number, node] of this.#shown) {
      if (number >= first && number <= last) continue;
      node.remove();
      node.replaceChildren();
      this.#spareRows.push(node);
      this.#shown.delete(number);
    }
  }
}

/** Moves a node, with its focus and animations where the browser can. @param {Element} parent @param {Element} node @param {Element | null} before */
function move(parent, node, before) {
  const box = /** @type {Element & { moveBefore?: (node: Element, before: Element | null) => void }} */ (parent);
  if (box.moveBefore && node.isConnected && parent.isConnected) box.moveBefore(node, before);
  else parent.insertBefore(node, before);
}
