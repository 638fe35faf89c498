/** The frames of the channel as they come. All rows are of one height, and only those in view are elements. */

import { FrameBuffer, FRAMES_MAX, matcher, wscatLine } from './frames.js';
import { announce, Component, copyButton, el, setAttr, setText } from '../dom.js';
import { baseName, count, jsonLines, plainName } from '../format.js';
import { EVENTS } from '../vocabulary.js';

/* Of a frame in one line. */
const TEXT_MAX = 300;
const ROW_PX = 28;

const PAYLOAD = '"payload":';

/** What a frame says beyond its head and the id with which it begins. @param {string} raw */
function body(raw) {
  const at = raw.indexOf(PAYLOAD);
  if (at < 0) return plainName(raw.slice(0, TEXT_MAX));
  const start = at + PAYLOAD.length;
  return plainName(raw.slice(start, start + TEXT_MAX).replace(/\}$/, '').replace(/^\{"(?:job_)?id":"[^"]*",/, '{… '));
}

class Row {
  #time = el('span', { class: 'frame-time' });
  #type = el('span', { class: 'frame-type' });
  #body = el('span', { class: 'frame-body' });
  node = el('div', { class: 'frame', role: 'option' }, this.#time, this.#type, this.#body);
  number = 0;

  /** @param {Entry} entry */
  fill(entry) {
    if (entry.number === this.number) return;
    this.number = entry.number;
    this.node.id = `frame-${entry.number}`;
    this.node.dataset.topic = entry.topic;
    setText(this.#time, entry.time.slice(11, 23));
    setText(this.#type, plainName(entry.type.slice(0, 60)));
    setText(this.#body, body(entry.raw));
  }
}

export class FrameList {
  /** Whether the newest row is kept in view. */
  follows = true;
  /** @type {number | null} */
  chosen = null;
  #space = el('div', { class: 'frames-space' });
  /** @type {Row[]} */
  #rows = [];
  #rowHeight = ROW_PX;
  #count = 0;
  /** What #draw did last to the scroll position, which is no wish of a person. */
  #placed = -1;

  /** @param {(number: number | null) => void} choose somebody chose a frame, or none @param {() => void} moved what is in view is to be drawn */
  constructor(choose, moved) {
    this.choose = choose;
    this.node = el('div', {
      class: 'frames', role: 'listbox', tabindex: 0, 'aria-label': 'Frames',
      onscroll: () => {
        if (Math.abs(this.node.scrollTop - this.#placed) > 1) this.follows = this.#atEnd();
        moved();
      },
      onclick: (event) => this.#click(event),
    }, this.#space);
    new ResizeObserver(moved).observe(this.node);
  }

  #atEnd() {
    return this.node.scrollTop + this.node.clientHeight >= this.node.scrollHeight - this.#rowHeight;
  }

  /** @param {Event} event */
  #click(event) {
    const row = this.#rows.find(({ node }) => event.target instanceof Node && node.contains(event.target));
    if (row) this.choose(row.number);
  }

  /** @param {number} at */
  reveal(at) {
    this.follows = false;
    const top = at * this.#rowHeight;
    if (top < this.node.scrollTop) this.node.scrollTop = top;
    else if (top + this.#rowHeight > this.node.scrollTop + this.node.clientHeight) this.node.scrollTop = top + this.#rowHeight - this.node.clientHeight;
  }

  get page() {
    return Math.max(1, Math.floor(this.node.clientHeight / this.#rowHeight) - 1);
  }

  /** @param {number} total of rows @param {number} gone so many rows went from the beginning since the last time @param {(at: number) => Entry | undefined} entry */
  draw(total, gone, entry) {
    const { node } = this;
    const height = node.clientHeight;
    if (height === 0) return; // not in view
    this.#rowHeight = this.#rows[0]?.node.offsetHeight || ROW_PX;
    if (total !== this.#count) this.#space.style.height = `${total * this.#rowHeight}px`;
    this.#count = total;
    if (this.follows) node.scrollTop = total * this.#rowHeight;
    else if (gone > 0) node.scrollTop = Math.max(0, node.scrollTop - gone * this.#rowHeight);
    this.#placed = node.scrollTop;
    const first = Math.max(0, Math.floor(node.scrollTop / this.#rowHeight));
    const shown = Math.min(total - first, Math.ceil(height / this.#rowHeight) + 1);
    for (let i = this.#rows.length; i < shown; i++) {
      this.#rows.push(new Row());
      this.#space.append(this.#rows[i].node);
    }
    let active = null;
    this.#rows.forEach((row, i) => {
      const one = i < shown ? entry(first + i) : undefined;
      row.node.hidden = !one;
      if (!one) return;
      row.fill(one);
      row.node.style.transform = `translateY(${(first + i) * this.#rowHeight}px)`;
      setAttr(row.node, 'aria-posinset', String(first + i + 1));
      setAttr(row.node, 'aria-setsize', String(total));
      setAttr(row.node, 'aria-selected', String(one.number === this.chosen));
      if (one.number === this.chosen) active = row.node.id;
    });
    setAttr(node, 'aria-activedescendant', active);
  }
}

/* Choices of the filter. */
const CHOICES_MAX = 100;

export class ActivityView extends Component {
  #buffer = new FrameBuffer();
  /** @type {number[]} */
  #matching = [];
  #matches = matcher({ type: '', topic: '', job: '', text: '' });
  #paused = false;
  #passed = 0;
  #gone = 0;
  /** The chosen frame, also when it is kept no more. */
  #chosen = '';

  #type = this.#select('activity-type', 'All types', Object.keys(EVENTS));
  #topic = this.#select('activity-topic', 'All topics', ['jobs', 'library', 'meta']);
  #job = this.#select('activity-job', 'All jobs', []);
  #text = el('input', { type: 'search', id: 'activity-text', placeholder: 'In the text', autocomplete: 'off', spellcheck: 'false', oninput: () => this.#filter() });
  #pause = el('button', { 'aria-pressed': 'false', text: 'Pause', onclick: () => this.#turn() });
  #state = el('p', { class: 'hint' });
  #list = new FrameList((number) => this.#choose(number), () => this.invalidate());
  #detailTitle = el('h3');
  #detail = el('pre', { tabindex: 0, 'aria-label': 'The chosen frame' });
  #pane = el('section', { class: 'frame-detail', 'aria-label': 'One frame', hidden: true },
    el('div', { class: 'frame-detail-head' }, this.#detailTitle,
      copyButton('Copy frame', () => this.#chosen),
      el('button', { class: 'plain', text: 'Close', onclick: () => this.#close() })),
    this.#detail);

  /** @param {string} id @param {string} all @param {string[]} words */
  #select(id, all, words) {
    return el('select', { id, onchange: () => this.#filter() },
      el('option', { value: '', text: all }), ...words.map((word) => el('option', { value: word, text: word })));
  }

  build() {
    const field = (/** @type {string} */ label, /** @type {HTMLElement} */ control) =>
      el('div', { class: 'activity-field' }, el('label', { for: control.id, text: label }), control);
    this.append(
      el('div', { class: 'activity-tools', role: 'search', 'aria-label': 'Filter the frames' },
        field('Type', this.#type), field('Topic', this.#topic), field('Job', this.#job), field('Text', this.#text)),
      el('div', { class: 'activity-tools' }, this.#pause,
        el('button', { text: 'Clear', onclick: () => this.#clear() }),
        copyButton('Copy wscat line', () => this.#wscat()),
        this.#state),
      el('div', { class: 'activity-body' }, this.#list.node, this.#pane));
    this.#list.node.addEventListener('keydown', (event) => this.#key(event));
    this.invalidate();
  }

  /** @param {FrameEvent} event */
  hear({ detail: frame, raw }) {
    if (this.#paused) {
      this.#passed++;
      this.invalidateSoon();
      return;
    }
    const entry = this.#buffer.add({
      type: frame.type, topic: Object.hasOwn(EVENTS, frame.type) ? EVENTS[/** @type {keyof typeof EVENTS} */ (frame.type)] : 'unknown',
      id: frame.event_id, job: typeof frame.payload.job_id === 'string' ? frame.payload.job_id : null,
      time: String(frame.timestamp ?? ''), raw,
    });
    if (this.#matches(entry)) this.#matching.push(entry.number);
    this.#learn(entry, frame);
    this.invalidateSoon();
  }

  /** Words and jobs that were met can be filtered by. @param {Entry} entry @param {Frame} frame */
  #learn({ type, topic, job }, { payload }) {
    if (topic === 'unknown') addChoice(this.#type, type, plainName(type));
    if (job === null || type.endsWith('_PROGRESS')) return;
    const { path } = payload;
    addChoice(this.#job, job, typeof path === 'string' ? `${plainName(baseName(path))} (${job.slice(-6)})` : job);
  }

  get #filters() {
    return { type: this.#type.value, topic: this.#topic.value, job: this.#job.value, text: this.#text.value.trim() };
  }

  #filter() {
    this.#matches = matcher(this.#filters);
    this.#matching = [];
    for (let number = this.#buffer.first; number <= this.#buffer.count; number++) {
      const entry = this.#buffer.get(number);
      if (entry && this.#matches(entry)) this.#matching.push(number);
    }
    this.#list.follows = true;
    this.invalidate();
  }

  #turn() {
    this.#paused = !this.#paused;
    this.#passed = 0;
    this.#pause.setAttribute('aria-pressed', String(this.#paused));
    setText(this.#pause, this.#paused ? 'Resume' : 'Pause');
    announce(this.#paused ? 'The frames are paused.' : 'The frames go on.');
    this.invalidate();
  }

  #clear() {
    this.#buffer.clear();
    this.#matching = [];
    this.#close();
    this.invalidate();
  }

  // ---- one frame --------------------------------------------------------------------------------

  /** @param {number | null} number */
  #choose(number) {
    const entry = number === null ? undefined : this.#buffer.get(number);
    this.#list.chosen = entry ? entry.number : null;
    this.#pane.hidden = !entry;
    if (entry) {
      this.#list.follows = false;
      setText(this.#detailTitle, plainName(entry.type));
      setText(this.#detail, jsonLines(JSON.parse(entry.raw)));
      this.#chosen = entry.raw;
    }
    this.invalidate();
  }

  #close() {
    const inside = this.#pane.contains(document.activeElement);
    this.#choose(null);
    if (inside) this.#list.node.focus();
  }

  #wscat() {
    const { chosen } = this.#list;
    return wscatLine(this.#filters, (chosen === null ? null : this.#buffer.get(chosen)?.id) ?? null);
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const last = this.#matching.length - 1;
    const { chosen } = this.#list;
    const now = chosen === null ? last + 1 : this.#matching.indexOf(chosen);
    /** @type {Record<string, number>} */
    const moves = {
      ArrowUp: now - 1, ArrowDown: now + 1, Home: 0, End: last, PageUp: now - this.#list.page, PageDown: now + this.#list.page,
    };
    if (event.key === 'Escape' && chosen !== null) this.#close();
    else if (Object.hasOwn(moves, event.key) && last >= 0) this.#moveTo(Math.min(Math.max(moves[event.key], 0), last));
    else return;
    event.preventDefault();
  }

  /** @param {number} at */
  #moveTo(at) {
    this.#choose(this.#matching[at]);
    this.#list.reveal(at);
  }

  // ---- drawing ----------------------------------------------------------------------------------

  update() {
    const { first } = this.#buffer;
    const stays = this.#matching.findIndex((number) => number >= first);
    const gone = stays < 0 ? this.#matching.length : stays;
    if (gone > 0) this.#matching.splice(0, gone);
    this.#gone += gone;
    if (this.#list.node.clientHeight === 0) return; // the view is not shown
    this.#list.draw(this.#matching.length, this.#gone, (at) => this.#buffer.get(this.#matching[at]));
    this.#gone = 0;
    setText(this.#state, this.#words());
  }

  #words() {
    const { size } = this.#buffer;
    const kept = size === FRAMES_MAX ? `the last ${count(size)} are kept` : `${count(size)} kept`;
    const words = [`${count(this.#buffer.count)} heard, ${kept}, times are UTC`];
    if (this.#matching.length !== size) words.push(`${count(this.#matching.length)} match`);
    if (this.#paused) words.push(`paused, ${count(this.#passed)} passed by`);
    return `${words.join(' · ')}.`;
  }
}

/** @param {HTMLSelectElement} select @param {string} value @param {string} text */
function addChoice(select, value, text) {
  for (const option of select.options) if (option.value === value) return;
  if (select.options.length <= CHOICES_MAX) select.append(el('option', { value, text }));
}

customElements.define('reeld-activity', ActivityView);
