/** The list that is shown, of which only chunks near the view are held. Events: `change`; see web/README.md. */

import { wordsOf } from '../format.js';
import { ApiError } from '../server.js';
import { filterOf } from './filters.js';

// * What is asked of the library:

export const CHUNK = 60;
const CHUNKS_KEPT = 14;
const READS_AT_ONCE = 2;
const READ_MAX = 600;
const SYNC_FIRST_MS = 120;
const SYNC_MS = 1000;
const AFTER_ERROR_MS = 3000;
const STEPS_MAX = 24;

/** @type {Readonly<Record<string, (video: Video) => number>>} */
const KEYS = {
  modified: (video) => Date.parse(video.modified_at ?? '') || 0,
  duration: (video) => video.duration_s ?? -1,
  size: (video) => video.file_size,
  resolution: (video) => (video.width ?? 0) * (video.height ?? 0),
  bit_rate: (video) => video.bit_rate ?? -1,
};
const names = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

/** The server did answer: what was asked makes no sense to it, and will not by being asked again. @param {unknown} error */
export const refused = (error) => error instanceof ApiError && error.status >= 400 && error.status < 500 && ![401, 408, 429].includes(error.status);

/** About the order of the server: it only says in which half to look on. @param {string} sort @param {Video} a @param {Video} b */
function compare(sort, a, b) {
  const byId = a.id < b.id ? -1 : Number(a.id > b.id);
  if (sort === 'name') return names.compare(a.filename, b.filename) || byId;
  const key = KEYS[sort];
  return (key ? key(a) - key(b) : 0) || byId;
}

export class Catalogue extends EventTarget {
  /** @type {Question | null} */
  question = null;
  total = 0;
  known = false;
  /** What is held answers the question; else it is of one before, whose number says nothing of this one. */
  fits = false;
  loading = false;
  /** @type {string | null} */
  error = null;
  shown = true;

  /** @type {Map<number, Video[]>} */
  #chunks = new Map();
  /** @type {Map<string, number>} */
  #where = new Map();
  /** @type {Map<number, AbortController>} */
  #reads = new Map();
  #first = 0;
  #last = CHUNK - 1;
  /** @type {AbortController} */
  #list = new AbortController();
  /** @type {Promise<void> | null} */
  #syncing = null;
  #synced = 0;
  #took = 0;
  #stale = false;
  /** Videos that came and went since the list was read; a guess. */
  #came = 0;
  /** @type {Timer} */
  #timer;

  /** @param {Api} api @param {() => Anchor | null} anchor what a person looks at; null: the beginning */
  constructor(api, anchor) {
    super();
    this.api = api;
    this.anchor = anchor;
  }

  /** @param {{ reset?: boolean, shift?: number | null, from?: number | null }} [detail] */
  #changed(detail) {
    this.dispatchEvent(new CustomEvent('change', { detail: { reset: false, shift: null, from: null, ...detail } }));
  }

  /** @param {number} index @returns {Video | undefined} undefined: it is not held */
  at(index) {
    return this.#chunks.get(Math.floor(index / CHUNK))?.[index % CHUNK];
  }

  /** @param {string} id @returns {number | undefined} */
  indexOf(id) {
    return this.#where.get(id);
  }

  get held() {
    return this.#where.size;
  }

  /** @param {number} offset @param {number} limit @param {AbortSignal} signal @returns {Promise<VideoPage>} */
  #page(offset, limit, signal) {
    const question = /** @type {Question} */ (this.question);
    const { sort, order } = question;
    return this.api.videos({ ...filterOf(question), sort, order, offset, limit }, signal);
  }

  /** Asks for another list; the one before stays until its first part is there. @param {Question} question @param {number} [at] a place in it that is wanted first */
  async ask(question, at = 0) {
    this.question = question;
    this.fits = false;
    this.#list.abort();
    this.#list = new AbortController();
    this.loading = true;
    this.#first = at;
    this.#last = at + CHUNK - 1;
    this.#changed();
    await this.#reading(this.#readNew(this.#list.signal)).catch(() => {}); // said in `error`
  }

  /** @param {AbortSignal} signal */
  async #readNew(signal) {
    try {
      let start = Math.floor(this.#first / CHUNK) * CHUNK;
      let page = await this.#page(start, 2 * CHUNK, signal);
      if (page.videos.length === 0 && page.total > 0) {
        start = Math.floor((page.total - 1) / CHUNK) * CHUNK;
        page = await this.#page(start, 2 * CHUNK, signal);
      }
      if (signal.aborted) return;
      this.#take(start, page);
      this.loading = false;
      this.#changed({ reset: true });
    } catch (error) {
      if (signal.aborted) return;
      this.loading = false;
      this.#fail(error);
      throw error;
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    this.error = wordsOf(error);
    this.#synced = Date.now(); // from here the next try waits
    this.#changed();
    if (!refused(error)) this.#syncSoon();
  }

  /** @param {number} start @param {VideoPage} page */
  #take(start, page) {
    for (const read of this.#reads.values()) read.abort();
    this.#reads.clear();
    this.#chunks.clear();
    this.#where.clear();
    this.total = page.total;
    this.known = true;
    this.fits = true;
    this.error = null;
    this.#came = 0;
    for (let at = 0; at < page.videos.length; at += CHUNK) this.#hold((start + at) / CHUNK, page.videos.slice(at, at + CHUNK));
  }

  /** @param {number} number @param {Video[]} videos */
  #hold(number, videos) {
    this.#drop(number);
    this.#chunks.set(number, videos);
    videos.forEach((video, at) => this.#where.set(video.id, number * CHUNK + at));
    if (this.#chunks.size <= CHUNKS_KEPT) return;
    const middle = (this.#first + this.#last) / 2 / CHUNK;
    const far = (/** @type {number} */ one) => Math.abs(one + 0.5 - middle);
    this.#drop([...this.#chunks.keys()].reduce((a, b) => (far(b) > far(a) ? b : a)));
  }

  /** @param {number} number */
  #drop(number) {
    for (const video of this.#chunks.get(number) ?? []) this.#where.delete(video.id);
    this.#chunks.delete(number);
  }

  /** Says what is in view; what of it, and a bit beyond, is not held is read. @param {number} first @param {number} last */
  want(first, last) {
    this.#first = first;
    this.#last = last;
    // After an error what is in view comes with the next try, and not at once.
    if (!this.fits || this.error) return;
    const low = Math.max(0, Math.floor((first - CHUNK / 3) / CHUNK));
    const high = Math.min(Math.floor((last + CHUNK / 2) / CHUNK), Math.floor((this.total - 1) / CHUNK));
    for (const [number, read] of this.#reads) {
      if (number >= low && number <= high) continue;
      read.abort();
      this.#reads.delete(number);
    }
    for (let number = low; number <= high && this.#reads.size < READS_AT_ONCE; number++) {
      if (!this.#chunks.has(number) && !this.#reads.has(number)) this.#read(number);
    }
  }

  /** @param {number} number */
  async #read(number) {
    const read = new AbortController();
    this.#reads.set(number, read);
    try {
      const page = await this.#page(number * CHUNK, CHUNK, read.signal);
      if (read.signal.aborted) return;
      this.#reads.delete(number);
      this.#hold(number, page.videos);
      this.error = null;
      if (page.total !== this.total) this.#syncSoon(); // the other parts are older
      this.#changed();
      this.want(this.#first, this.#last);
    } catch (error) {
      if (read.signal.aborted) return;
      this.#reads.delete(number);
      this.#fail(error);
    }
  }

  /** @param {Frame} frame */
  hear({ type, payload }) {
    if (!type.startsWith('VIDEO_') && !type.startsWith('ROOT_')) return;
    const index = this.#where.get(payload.id);
    if (type === 'VIDEO_ADDED') this.#came++;
    if (type === 'VIDEO_REMOVED') this.#came--;
    if (index !== undefined && type !== 'VIDEO_REMOVED') {
      const chunk = /** @type {Video[]} */ (this.#chunks.get(Math.floor(index / CHUNK)));
      chunk[index % CHUNK] = payload;
      this.#changed();
      // A picture that became ready is no reason to read the list again, unless it is being read: that answer may be older.
      const reading = this.#syncing !== null || this.#reads.size > 0;
      if (!reading && type === 'VIDEO_UPDATED' && Array.isArray(payload.changed) && payload.changed.every((/** @type {string} */ one) => one.startsWith('thumbnail'))) return;
    }
    this.#syncSoon();
  }

  #syncSoon() {
    this.#stale = true;
    if (this.#timer !== undefined || !this.shown) return;
    const pause = this.error ? AFTER_ERROR_MS : Math.max(SYNC_MS, 4 * this.#took);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.refresh().catch(() => {}); // said in `error`
    }, Math.max(SYNC_FIRST_MS, this.#synced + pause - Date.now()));
  }

  /** @param {boolean} shown */
  show(shown) {
    if (this.shown === shown) return;
    this.shown = shown;
    if (shown && this.#stale) this.#syncSoon();
  }

  /** Reads what is in view again, wherever it is now. Throws when it can't. @returns {Promise<void>} */
  async refresh() {
    if (!this.question) return;
    if (!this.shown && this.known) {
      this.#stale = true;
      return;
    }
    // A list that is being read is not read twice at a time; what it misses comes with the next turn.
    if (this.#syncing) this.#stale = true;
    await (this.#syncing ?? this.#reading(this.#sync(this.#list.signal))).catch((error) => {
      if (!refused(error)) throw error;
    });
  }

  /** @param {Promise<void>} read */
  #reading(read) {
    const reading = read.finally(() => {
      if (this.#syncing !== reading) return; // another list was asked for meanwhile
      this.#syncing = null;
      if (this.#stale) this.#syncSoon();
    });
    this.#syncing = reading;
    return reading;
  }

  /** @param {AbortSignal} signal */
  async #sync(signal) {
    const began = Date.now();
    this.#stale = false;
    if (!this.fits) return this.#readNew(signal);
    try {
      const anchor = this.anchor();
      const found = anchor ? await this.#locate(anchor, signal) : await this.#around(0, signal);
      // One may have gone elsewhere meanwhile; then the next turn has it.
      if (signal.aborted) return;
      const shift = anchor ? found.index - anchor.index : 0;
      this.#take(found.start, found.page);
      this.#changed({ shift, from: anchor ? anchor.index : null });
    } catch (error) {
      if (signal.aborted) return;
      this.#fail(error);
      throw error;
    } finally {
      this.#synced = Date.now();
      this.#took = this.#synced - began;
    }
  }

  /** Reads what would be in view if the anchor had moved by that much. @param {number} shift @param {AbortSignal} signal */
  async #around(shift, signal) {
    const before = Math.max(0, this.#first + shift - CHUNK / 2);
    const start = Math.floor(before / CHUNK) * CHUNK;
    const end = Math.ceil((this.#last + shift + CHUNK / 2) / CHUNK) * CHUNK;
    const page = await this.#page(start, Math.min(READ_MAX, Math.max(CHUNK, end - start)), signal);
    return { start, page, index: 0 };
  }

  /**
   * Finds where the anchor is now, and reads around it. First where it should be by what was heard,
   * then by halves. One that is gone itself is found by its neighbours.
   * @param {Anchor} anchor @param {AbortSignal} signal
   */
  async #locate(anchor, signal) {
    const { sort, order } = /** @type {Question} */ (this.question);
    const known = this.at(anchor.index);
    const guess = sort === 'added' && order === 'desc' ? this.#came : 0;
    let read = await this.#around(guess, signal);
    let index = placeIn(read.start, read.page.videos, anchor);
    let low = 0;
    let high = read.page.total;
    for (let step = 0; index === null && known && low < high && step < STEPS_MAX; step++) {
      const middle = Math.floor((low + high) / 2);
      const { videos } = await this.#page(middle, CHUNK, signal);
      index = placeIn(middle, videos, anchor);
      if (index !== null || videos.length === 0) break;
      const side = compare(sort, known, videos[0]) * (order === 'desc' ? -1 : 1);
      if (side <= 0) high = middle;
      else low = middle + 1;
    }
    index ??= Math.min(known ? low : anchor.index, Math.max(0, read.page.total - 1));
    if (placeIn(read.start, read.page.videos, anchor) === null) {
      read = await this.#around(index - anchor.index, signal);
      index = placeIn(read.start, read.page.videos, anchor) ?? Math.min(index, Math.max(0, read.page.total - 1));
    }
    return { ...read, index };
  }
}

/** Where the anchor would be by what stands in a page; null: nothing of what was in view does. @param {number} start @param {Video[]} videos @param {Anchor} anchor */
function placeIn(start, videos, { index, ids }) {
  /** @type {number | null} */
  let best = null;
  let distance = Infinity;
  videos.forEach((video, at) => {
    const was = ids.get(video.id);
    if (was === undefined || Math.abs(was - index) >= distance) return;
    distance = Math.abs(was - index);
    best = start + at - (was - index);
  });
  return best === null ? null : Math.max(0, best);
}
