/** The library: what is asked of it, how many there are, and the items themselves. */

import { announce, Component, el, setAttr, setText } from '../dom.js';
import { count, elapsed, plainName, plural, size } from '../format.js';
import { refused } from './catalogue.js';
import { addressOf, chipsOf, filterOf, Filters, questionOf, sameList, SORTS } from './filters.js';
import { leave, VideoGrid } from './grid.js';

const TYPING_MS = 180;
const STATS_MS = 2000;
/* So many files that failed are marked. */
const FAILED_MAX = 1000;
const FAILED_MS = 10000;

export class LibraryView extends Component {
  /** @type {Api} */
  #api;
  /** @type {Router} */
  #router;
  #question = questionOf(new URLSearchParams());
  #asked = false;
  /** @type {Stats | null} */
  #stats = null;
  #statsAt = 0;
  #failedOf = 0;
  #failedAt = 0;
  /** Something was said after which other files may be those that failed. */
  #failedStale = false;
  /** @type {AbortController | null} */
  #statsRead = null;
  /** @type {Timer} */
  #statsTimer;
  /** What was typed is not asked yet. @type {Timer} */
  #typing;
  /** The place changes because of what was typed: the box says it already, perhaps with a blank that is no part of it. */
  #byTyping = false;
  /** From the search one wants to the first of what it finds. */
  #toList = false;
  /** The search has the focus and was changed since: further letters are no further steps back. */
  #searching = false;
  #told = '';
  /** A video was opened from the list: the focus comes back to it. */
  #opened = false;

  #search = el('input', {
    type: 'search', id: 'search', placeholder: 'Search name, folder, title', autocomplete: 'off', spellcheck: 'false', enterkeyhint: 'search',
    'aria-keyshortcuts': '/', oninput: () => this.#type(), onblur: () => {
      this.#searching = false;
      this.#toList = false;
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => this.#searchKey(event),
  });
  #sort = el('select', {
    id: 'sort', onchange: () => {
      const [sort, order] = this.#sort.value.split(' ');
      this.#ask({ ...this.#question, sort, order });
    },
  }, ...SORTS.map(([value, label]) => el('option', { value, text: label })));
  #layouts = /** @type {[Layout, string][]} */ ([['grid', 'Pictures'], ['table', 'Table']]).map(([layout, label]) => el('button', {
    class: `layout layout-${layout}`, 'data-layout': layout, title: label, 'aria-label': label, onclick: () => this.#ask({ ...this.#question, layout }),
  }, el('span', { class: 'icon', 'aria-hidden': 'true' })));
  #open = el('button', {
    class: 'filters-open', 'aria-expanded': 'false', 'aria-controls': 'filters', onclick: () => this.#toggle(),
  });
  #chips = el('ul', { class: 'chips', 'aria-label': 'Filters that are on', onclick: (event) => this.#chipPressed(event) });
  #summary = el('p', { class: 'summary' });
  #problem = el('p', { class: 'problem', role: 'alert', hidden: true });
  #empty = el('div', { class: 'empty', hidden: true });
  #above = el('button', { class: 'primary above', hidden: true, onclick: () => this.#grid.toTop() });
  #filters = new Filters();
  #grid = new VideoGrid();

  /** @param {Api} api @param {Router} router */
  connect(api, router) {
    this.#api = api;
    this.#router = router;
    this.#grid.hidden = true; // until what stands above it is there, so that it knows where it begins
    const head = this.#grid.connect(api);
    head.addEventListener('sort', (event) => this.#ask({ ...this.#question, .../** @type {CustomEvent} */ (event).detail }));
    this.#filters.id = 'filters';
    this.#filters.addEventListener('ask', (event) => this.#ask(/** @type {CustomEvent} */ (event).detail));
    this.#grid.addEventListener('rest', () => this.#remember());
    this.#grid.addEventListener('click', (event) => {
      this.#opened = event.target instanceof Element && event.target.closest('.item') !== null;
      this.#remember();
    });
    this.#grid.addEventListener('seen', () => this.#showAbove());
    this.catalogue.addEventListener('change', () => this.invalidate());
    this.append(
      el('div', { class: 'library-bar', role: 'search' },
        el('label', { class: 'visually-hidden', for: 'search', text: 'Search the library' }), this.#search, this.#open,
        el('label', { class: 'visually-hidden', for: 'sort', text: 'Sort the library' }), this.#sort,
        el('div', { class: 'layouts', role: 'group', 'aria-label': 'Layout' }, ...this.#layouts)),
      el('div', { class: 'library-body' }, this.#filters,
        el('div', { class: 'library-list' }, el('div', { class: 'library-head' }, this.#summary, this.#chips), this.#problem, this.#empty, this.#grid)),
      this.#above);
    router.addEventListener('change', () => this.#arrive());
    this.#arrive();
  }

  get catalogue() {
    return this.#grid.catalogue;
  }

  /** Throws when it can't. */
  async refresh() {
    await this.catalogue.refresh();
    this.#statsSoon();
  }

  /** @param {Frame} frame */
  hear(frame) {
    this.catalogue.hear(frame);
    const { type, payload } = frame;
    if (payload.outcome === 'failed' || (type.startsWith('VIDEO_') && this.#grid.failed.has(payload.id))) this.#failedStale = true;
    if (type.startsWith('VIDEO_') || payload.outcome === 'failed') this.#statsSoon();
  }

  focusSearch() {
    this.#search.focus();
    this.#search.select();
  }

  /** For a dialog over the list. @returns {() => void} gives the focus back to the video that has it now, or to what is in its place then */
  keepFocus() {
    return this.#grid.contains(document.activeElement) ? this.#grid.keepActive() : () => {};
  }

  #arrive() {
    const { view, params } = this.#router.place;
    this.catalogue.show(view === 'library');
    if (view !== 'library') return this.#dropTyped();
    const question = questionOf(params);
    const again = this.#asked && sameList(question, this.#question);
    const position = history.state?.list ?? null;
    this.#show(question);
    if (again) {
      if (this.#opened) this.#grid.focusActive();
      this.#opened = false;
      this.#statsSoon();
      this.#grid.invalidate();
      return;
    }
    if (position) this.#grid.goTo(position);
    this.#asked = true;
    this.catalogue.ask(question, position?.index ?? 0);
    this.#stats = null;
    this.#statsNow();
  }

  /** @param {Question} question */
  #show(question) {
    const { layout } = question;
    const position = layout === this.#grid.layout || !this.#asked ? null : this.#grid.position;
    this.#question = question;
    this.#grid.setLayout(layout);
    if (position) this.#grid.goTo(position);
    this.#grid.headShow(question);
    if (!this.#byTyping) {
      this.#dropTyped();
      this.#searching = false;
      if (this.#search.value.trim() !== question.q) this.#search.value = question.q;
    }
    this.invalidate();
  }

  /** Other filters, sort or layout; the search stays, as far as it was typed. @param {Question} question */
  #ask(question) {
    this.#router.go(addressOf({ ...question, q: this.#typed() }));
  }

  #typed() {
    return this.#typing === undefined ? this.#question.q : this.#search.value.trim();
  }

  #dropTyped() {
    clearTimeout(this.#typing);
    this.#typing = undefined;
    this.#toList = false;
  }

  #type() {
    this.#dropTyped();
    this.#typing = setTimeout(() => this.#askTyped(), TYPING_MS);
  }

  #askTyped() {
    const q = this.#typed();
    this.#dropTyped();
    if (q === this.#question.q) return;
    this.#byTyping = true;
    this.#router.go(addressOf({ ...this.#question, q }), { replace: this.#searching });
    this.#byTyping = false;
    this.#searching = true;
  }

  /** @param {KeyboardEvent} event */
  #searchKey(event) {
    if (event.key === 'ArrowDown' || event.key === 'Enter') {
      event.preventDefault();
      this.#askTyped();
      this.#toList = true;
      this.#enterList();
    } else if (event.key === 'Escape' && this.#search.value === '') {
      this.#search.blur();
    }
  }

  /** Once the list of what was typed is there, and not into the one before. */
  #enterList() {
    const { loading, fits, total } = this.catalogue;
    if (!this.#toList || loading) return;
    this.#toList = false;
    if (fits && total > 0) this.#grid.focusActive();
  }

  /** Its address was made before what was typed since. @param {Event} event */
  #chipPressed({ target }) {
    const chip = target instanceof Element ? target.closest('a') : null;
    if (chip) chip.href = addressOf({ ...questionOf(new URL(chip.href).searchParams), q: this.#typed() });
  }

  #toggle() {
    const open = this.#filters.classList.toggle('open');
    setAttr(this.#open, 'aria-expanded', String(open));
    if (open) this.#filters.querySelector('input')?.focus();
  }

  /** Keeps in the browser's history how far down one is, for when one comes back or loads the page anew. */
  #remember() {
    if (this.#router.place.view === 'library') history.replaceState({ ...history.state, list: this.#grid.position }, '');
  }

  #showAbove() {
    const { above } = this.#grid;
    if (above === 0 && document.activeElement === this.#above) leave(this);
    this.#above.hidden = above === 0;
    if (above > 0) setText(this.#above, `↑ ${count(above)} new`);
  }

  #statsSoon() {
    this.#statsTimer ??= setTimeout(() => this.#statsNow(), Math.max(150, this.#statsAt + STATS_MS - Date.now()));
  }

  async #statsNow() {
    clearTimeout(this.#statsTimer);
    this.#statsTimer = undefined;
    if (!this.catalogue.shown) return;
    this.#statsRead?.abort();
    const read = new AbortController();
    this.#statsRead = read;
    this.#statsAt = Date.now();
    try {
      const stats = await this.#api.stats(filterOf(this.#question), read.signal);
      this.#stats = stats;
      this.invalidate();
      await this.#readFailed(stats.failed, read.signal);
    } catch (error) {
      // The list says what is wrong. A large catalogue that was just started has its counts in a moment.
      if (!read.signal.aborted && !refused(error)) this.#statsTimer ??= setTimeout(() => this.#statsNow(), STATS_MS);
    }
  }

  /** A list does not say which of its videos failed when they were last looked at; there are few. @param {number} failed @param {AbortSignal} signal */
  async #readFailed(failed, signal) {
    if (!this.#failedStale && failed === this.#failedOf && Date.now() - this.#failedAt < FAILED_MS) return;
    this.#failedStale = false;
    const videos = failed > 0 ? (await this.#api.videos({ failed: 'true', limit: FAILED_MAX }, signal)).videos : [];
    this.#failedOf = failed;
    this.#failedAt = Date.now();
    this.#grid.failed = new Set(videos.map(({ id }) => id));
    this.#grid.invalidate();
    this.invalidate();
  }

  update() {
    const { catalogue } = this;
    const question = this.#question;
    setAttr(this.#grid, 'aria-busy', catalogue.loading ? 'true' : null);
    setText(this.#problem, catalogue.error ? `The library could not be read: ${catalogue.error}` : '');
    this.#problem.hidden = !catalogue.error;
    this.#sort.value = `${question.sort} ${question.order}`;
    for (const button of this.#layouts) setAttr(button, 'aria-pressed', String(button.getAttribute('data-layout') === question.layout));
    // The counts have the files too that never became videos; those no filter finds.
    this.#filters.show(question, this.#stats && { ...this.#stats, failed: this.#grid.failed.size });
    this.#showChips();
    setText(this.#summary, this.#say());
    this.#showEmpty();
    this.#tell();
    this.#enterList();
  }

  /** How many match is told once for what was asked, and not with each video that comes. */
  #tell() {
    const { fits, error, total } = this.catalogue;
    const { q, filters } = this.#question;
    const asked = JSON.stringify([q, filters]);
    if (!fits || error || asked === this.#told) return;
    if (this.#told || q) announce(plural(total, 'video'));
    this.#told = asked;
  }

  #say() {
    const { known, fits, error, total, loading } = this.catalogue;
    if (!fits && known && loading) return this.#summary.textContent ?? '';
    if (!fits) return error ? '' : 'Reading the library…';
    const filtered = this.#question.q || Object.keys(this.#question.filters).length > 0;
    const number = filtered ? plural(total, 'match', 'matches') : plural(total, 'video');
    const stats = this.#stats;
    if (total === 0 || !stats || stats.videos === 0) return total === 0 ? '' : number;
    return [number, stats.duration_s >= 3600 ? plural(Math.round(stats.duration_s / 3600), 'hour') : elapsed(Math.round(stats.duration_s) * 1000), size(stats.size)].join(' · ');
  }

  #showEmpty() {
    const { fits, total } = this.catalogue;
    const empty = fits && total === 0;
    if (!empty && this.#empty.contains(document.activeElement)) leave(this);
    this.#empty.hidden = !empty;
    this.#grid.hidden = total === 0;
    if (!empty) return;
    const { q, filters } = this.#question;
    const filtered = Object.keys(filters).length > 0;
    const text = q ? `Nothing is called “${plainName(q)}”${filtered ? ' behind these filters' : ''}.`
      : filtered ? 'No video is behind these filters.' : 'Nothing here yet: scan a folder, and its videos appear as they are found.';
    if (this.#empty.dataset.says === text) return;
    this.#empty.dataset.says = text;
    this.#empty.replaceChildren(el('p', { text }), q || filtered
      ? el('a', { class: 'button', href: addressOf({ ...this.#question, q: '', filters: {} }), text: 'Show all videos' })
      : el('a', { class: 'button', href: '/scans', text: 'Scan a folder' }));
  }

  /** A chip for each filter that is on, which takes it away. */
  #showChips() {
    const question = this.#question;
    const chips = chipsOf(question);
    setText(this.#open, chips.length ? `Filters (${chips.length})` : 'Filters');
    const key = JSON.stringify(chips.map(([label]) => label)) + addressOf(question);
    if (this.#chips.dataset.key === key) return;
    this.#chips.dataset.key = key;
    const focused = [...this.#chips.querySelectorAll('a')].findIndex((link) => link === document.activeElement);
    this.#chips.hidden = chips.length === 0;
    const nodes = chips.map(([label, without]) => el('li', {}, el('a', {
      class: 'chip', href: addressOf(without), 'aria-label': `Without the filter: ${plainName(label)}`,
    }, el('bdi', { text: plainName(label) }), el('span', { class: 'cross', 'aria-hidden': 'true', text: '×' }))));
    if (nodes.length > 1) nodes.push(el('li', {}, el('a', { class: 'chip-all', href: addressOf({ ...question, filters: {} }), text: 'Clear all' })));
    this.#chips.replaceChildren(...nodes);
    if (focused < 0) return;
    // On to the next, so that one key takes one after the other away.
    const next = this.#chips.querySelectorAll('a')[Math.min(focused, chips.length - 1)];
    if (next) next.focus({ preventScroll: true });
    else leave(this);
  }
}

customElements.define('reeld-library', LibraryView);
