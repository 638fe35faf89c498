/** What is asked of the library, all of it in the address; the filters, each choice with its number; and the head of the table. */

import { Component, el, setAttr, setText } from '../dom.js';
import { count, decode, duration, tail } from '../format.js';
import { codec, hdr, language } from '../vocabulary.js';

/** Sorts: the key of the server, the direction, and what a person chooses. */
export const SORTS = Object.freeze([
  ['added desc', 'Latest added'],
  ['added asc', 'First added'],
  ['name asc', 'Name, A to Z'],
  ['name desc', 'Name, Z to A'],
  ['modified desc', 'Latest changed file'],
  ['modified asc', 'Oldest file'],
  ['duration desc', 'Longest'],
  ['duration asc', 'Shortest'],
  ['size desc', 'Largest'],
  ['size asc', 'Smallest'],
  ['resolution desc', 'Most pixels'],
  ['resolution asc', 'Fewest pixels'],
  ['bit_rate desc', 'Highest bit rate'],
  ['bit_rate asc', 'Lowest bit rate'],
]);

const LISTS = Object.freeze(['resolution', 'video_codec', 'container', 'hdr', 'subtitles', 'language']);
const FLAGS = Object.freeze(['duplicates', 'missing', 'failed']);
/** `added`: the last days, which only the page knows; the server is asked with the time that it means. */
const OTHERS = Object.freeze(['duration_min_s', 'duration_max_s', 'added', 'added_since', 'modified_since', 'folder', 'folder_uri',
  'width_min', 'width_max', 'height_min', 'height_max']);
const FILTERS = [...LISTS, ...FLAGS, ...OTHERS];
const DAY_MS = 86400000;

/** As the server may be asked it: what only the page understands must make sense here. @param {string} name @param {string} value */
function sensible(name, value) {
  if (LISTS.includes(name)) return value.split(',').filter(Boolean).join(',');
  return name !== 'added' || /^[1-9]\d{0,4}$/.test(value) ? value : '';
}

/** @param {URLSearchParams} params @returns {Question} */
export function questionOf(params) {
  /** @type {Record<string, string>} */
  const filters = {};
  for (const name of FILTERS) {
    const value = sensible(name, params.get(name) ?? '');
    if (value) filters[name] = value;
  }
  const sort = params.get('sort') ?? 'added';
  const order = params.get('order') ?? (sort === 'name' ? 'asc' : 'desc');
  return { q: params.get('q') ?? '', sort, order, layout: params.get('view') === 'table' ? 'table' : 'grid', filters };
}

/** @param {Question} question */
export function addressOf({ q, sort, order, layout, filters }) {
  const params = new URLSearchParams();
  if (q) params.set('q', q);
  for (const name of FILTERS) if (filters[name]) params.set(name, filters[name]);
  if (sort !== 'added') params.set('sort', sort);
  if (order !== (sort === 'name' ? 'asc' : 'desc')) params.set('order', order);
  if (layout === 'table') params.set('view', 'table');
  const query = params.toString();
  return query ? `/?${query}` : '/';
}

/** @param {Question} question @returns {Record<string, string>} */
export function filterOf({ q, filters }) {
  const { added, ...rest } = filters;
  /** @type {Record<string, string>} */
  const asked = { ...rest };
  const days = Number(added);
  // To the whole minute: the same question within it is the same request.
  if (days > 0) asked.added_since = new Date(Math.floor((Date.now() - days * DAY_MS) / 60000) * 60000).toISOString();
  return q ? { q, ...asked } : asked;
}

/** @param {Question} a @param {Question} b */
export const sameList = (a, b) => addressOf({ ...a, layout: 'grid' }) === addressOf({ ...b, layout: 'grid' });

/** @param {Question} question @param {string} name */
const chosen = ({ filters }, name) => (filters[name] ? filters[name].split(',') : []);

/** @param {Question} question @param {string} name @param {string | null} value null: without it @returns {Question} */
function withFilter(question, name, value) {
  const { [name]: _, ...filters } = question.filters;
  return { ...question, filters: value ? { ...filters, [name]: value } : filters };
}

/** @param {Question} question @param {string} name @param {string} word */
function toggled(question, name, word) {
  const words = chosen(question, name);
  return withFilter(question, name, (words.includes(word) ? words.filter((one) => one !== word) : [...words, word]).join(','));
}

/* So many choices of a group are shown before one asks for all; and no more than so many then. */
const FEW = 6;
const MANY = 60;
/** In this order where the choices have one of their own. */
const ORDER = ['sd', '720p', '1080p', '1440p', '2160p', '4320p'];

/** @type {Words} */
const TITLES = {
  resolution: 'Resolution', video_codec: 'Video codec', container: 'Container', hdr: 'Dynamic range', subtitles: 'Subtitles', language: 'Language',
};
/** @type {Words} */
const FLAG_LABELS = { duplicates: 'Has duplicates', missing: 'File is missing', failed: 'File failed' };
/** @type {Words} */
const RESOLUTIONS = { sd: 'SD', '2160p': '2160p (4K)', '4320p': '4320p (8K)' };
/** @type {Words} */
const CONTAINERS = { mov: 'MP4, MOV', matroska: 'Matroska, WebM', mpegts: 'MPEG-TS', mpeg: 'MPEG-PS', avi: 'AVI', flv: 'FLV', ogg: 'Ogg', asf: 'WMV, ASF', mxf: 'MXF' };

/** @type {readonly (readonly [string, string, string])[]} */
const LENGTHS = Object.freeze([['', '', 'Any length'], ['', '60', 'Under a minute'], ['60', '600', '1 to 10 minutes'], ['600', '3600', '10 to 60 minutes'], ['3600', '', 'Over an hour']]);
/** @type {readonly (readonly [string, string])[]} */
const AGES = Object.freeze([['', 'Any time'], ['1', 'In the last day'], ['7', 'In the last week'], ['30', 'In the last month'], ['365', 'In the last year']]);

/** What makes no sense, as it came; the server says what is wrong with it. @param {string} name @param {string} value */
const asItCame = (name, value) => `${name} ${value}`;

/** @param {Words} words @param {string} word */
const labelIn = (words, word) => (Object.hasOwn(words, word) ? words[word] : word);

/** @param {string} name of the filter @param {string} word */
function wordLabel(name, word) {
  if (name === 'hdr') return word === 'none' ? 'Standard' : hdr(word);
  if (name === 'subtitles') return word === 'true' ? 'With subtitles' : word === 'false' ? 'Without' : asItCame(name, word);
  if (word === 'none') return 'Not known';
  if (name === 'video_codec') return codec(word);
  if (name === 'language') return word === 'und' ? 'Not determined' : language(word);
  return labelIn(name === 'resolution' ? RESOLUTIONS : name === 'container' ? CONTAINERS : {}, word);
}

/** @param {string} name @param {string} value */
function flagLabel(name, value) {
  if (value === 'true') return FLAG_LABELS[name];
  return value === 'false' ? `Not: ${FLAG_LABELS[name]}` : asItCame(name, value);
}

/** @param {string} least @param {string} most */
function lengthLabel(least, most) {
  const known = LENGTHS.find(([low, high]) => low === least && high === most);
  if (known) return known[2];
  if ([least, most].every((one) => duration(Number(one)) !== '–')) return `${duration(Number(least))} to ${most ? duration(Number(most)) : '…'}`;
  return [['duration_min_s', least], ['duration_max_s', most]].filter(([, value]) => value).map(([name, value]) => asItCame(name, value)).join(', ');
}

/** Each filter that is on, and the question without it. @param {Question} question @returns {[label: string, without: Question][]} */
export function chipsOf(question) {
  const { filters } = question;
  /** @type {[string, Question][]} */
  const chips = [];
  for (const name of LISTS) for (const word of chosen(question, name)) chips.push([wordLabel(name, word), toggled(question, name, word)]);
  for (const name of FLAGS) if (filters[name]) chips.push([flagLabel(name, filters[name]), withFilter(question, name, null)]);
  const { duration_min_s: least = '', duration_max_s: most = '', added, folder, folder_uri } = filters;
  if (least || most) chips.push([lengthLabel(least, most), withFilter(withFilter(question, 'duration_min_s', null), 'duration_max_s', null)]);
  if (added) chips.push([AGES.find(([days]) => days === added)?.[1] ?? `In the last ${added} days`, withFilter(question, 'added', null)]);
  if (folder || folder_uri) chips.push([`In ${tail(folder ?? decode(folder_uri), 2)}`, withFilter(withFilter(question, 'folder', null), 'folder_uri', null)]);
  for (const name of ['added_since', 'modified_since', 'width_min', 'width_max', 'height_min', 'height_max']) {
    if (filters[name]) chips.push([`${name.replaceAll('_', ' ')} ${filters[name]}`, withFilter(question, name, null)]);
  }
  return chips;
}

/** @param {string | null} value */
const wordOf = (value) => (value === null || value === '' ? 'none' : value.split(',')[0]);

class Group extends Component {
  #rows = el('div', { class: 'choices' });
  #more = el('button', {
    class: 'plain more', hidden: true, onclick: () => {
      this.#all = !this.#all;
      this.dispatchEvent(new Event('again'));
    },
  });
  #all = false;
  /** @type {Map<string, { row: HTMLElement, box: HTMLInputElement, number: HTMLElement }>} */
  #choices = new Map();

  /** @param {string} name @param {string} title @param {(word: string) => void} choose */
  constructor(name, title, choose) {
    super();
    this.name = name;
    this.title_ = title;
    this.choose = choose;
  }

  build() {
    this.append(el('fieldset', { class: 'facet' }, el('legend', { text: this.title_ }), this.#rows, this.#more));
  }

  /** @param {[word: string, label: string, number: number | null][]} choices @param {string[]} on */
  show(choices, on) {
    const wanted = choices.filter(([word], at) => at < (this.#all ? MANY : FEW) || on.includes(word));
    for (const word of on) if (!choices.some(([one]) => one === word)) wanted.push([word, wordLabel(this.name, word), 0]);
    this.hidden = wanted.length === 0;
    const words = new Set(wanted.map(([word]) => word));
    for (const [word, { row }] of this.#choices) {
      if (words.has(word)) continue;
      row.remove();
      this.#choices.delete(word);
    }
    wanted.forEach(([word, label, number], at) => {
      const choice = this.#choices.get(word) ?? this.#make(word, label);
      choice.box.checked = on.includes(word);
      setText(choice.number, number === null ? '' : count(number));
      setAttr(choice.row, 'data-none', number === 0 ? '' : null);
      if (this.#rows.children[at] !== choice.row) this.#rows.insertBefore(choice.row, this.#rows.children[at] ?? null);
    });
    const hidden = choices.length - FEW;
    this.#more.hidden = hidden <= 0;
    setText(this.#more, this.#all ? 'Show fewer' : `Show ${count(hidden)} more`);
  }

  /** @param {string} word @param {string} label */
  #make(word, label) {
    const box = el('input', { type: 'checkbox', onchange: () => this.choose(word) });
    const number = el('span', { class: 'number' });
    const row = el('label', { class: 'choice' }, box, el('span', { class: 'choice-label', text: label }), number);
    const choice = { row, box, number };
    this.#choices.set(word, choice);
    return choice;
  }
}

customElements.define('reeld-facet', Group);

/** @param {string} name @param {Facet} facet @returns {[string, string, number][]} */
function choicesOf(name, facet) {
  /** @type {Map<string, number>} */
  const sums = new Map();
  for (const { value, count: number } of facet) {
    const word = wordOf(value);
    sums.set(word, (sums.get(word) ?? 0) + number);
  }
  const all = [...sums].map(([word, number]) => /** @type {[string, string, number]} */ ([word, wordLabel(name, word), number]));
  if (name === 'resolution') all.sort((a, b) => ORDER.indexOf(b[0]) - ORDER.indexOf(a[0]));
  // What has only one choice, and that one is "none", chooses nothing.
  return all.length === 1 && all[0][0] === 'none' ? [] : all;
}

/** Events: `ask`, detail: the changed question. */
export class Filters extends Component {
  /** @type {Question | null} */
  #question = null;
  /** @type {Stats | null} */
  #stats = null;
  #groups = LISTS.map((name) => new Group(name, TITLES[name], (word) => this.#choose((question) => toggled(question, name, word))));
  #flags = new Group('flags', 'Only', (word) => this.#choose((question) => withFilter(question, word, question.filters[word] ? null : 'true')));
  #length = el('select', { id: 'length', onchange: () => this.#choose((question) => this.#withLength(question)) },
    ...LENGTHS.map(([, , label], at) => el('option', { value: at, text: label })), el('option', { value: 'other', text: 'Another length', hidden: true }));
  #age = el('select', { id: 'age', onchange: () => this.#choose((question) => withFilter(withFilter(question, 'added_since', null), 'added', this.#age.value || null)) },
    ...AGES.map(([value, text]) => el('option', { value, text })), el('option', { value: 'other', text: 'Another time', hidden: true }));

  build() {
    for (const group of [...this.#groups, this.#flags]) group.addEventListener('again', () => this.invalidate());
    this.append(...this.#groups.slice(0, 1),
      el('div', { class: 'facet' }, el('label', { for: 'length', text: 'Length' }), this.#length),
      el('div', { class: 'facet' }, el('label', { for: 'age', text: 'Added' }), this.#age),
      ...this.#groups.slice(1), this.#flags);
  }

  /** @param {(question: Question) => Question} change */
  #choose(change) {
    if (this.#question) this.dispatchEvent(new CustomEvent('ask', { detail: change(this.#question) }));
  }

  /** @param {Question} question */
  #withLength(question) {
    const [least, most] = LENGTHS[Number(this.#length.value)] ?? LENGTHS[0];
    return withFilter(withFilter(question, 'duration_min_s', least || null), 'duration_max_s', most || null);
  }

  /** @param {Question} question @param {Stats | null} stats */
  show(question, stats) {
    this.#question = question;
    this.#stats = stats;
    this.invalidate();
  }

  update() {
    const question = this.#question;
    const stats = this.#stats;
    if (!question) return;
    const { duration_min_s: least = '', duration_max_s: most = '', added, added_since } = question.filters;
    const length = LENGTHS.findIndex(([low, high]) => low === least && high === most);
    this.#length.value = length < 0 ? 'other' : String(length);
    this.#age.value = added_since || !AGES.some(([days]) => days === (added ?? '')) ? 'other' : added ?? '';
    for (const group of this.#groups) group.show(stats ? choicesOf(group.name, stats.by[group.name] ?? []) : [], chosen(question, group.name));
    const on = FLAGS.filter((flag) => question.filters[flag] === 'true');
    /** @type {Record<string, number>} */
    const sums = stats ? { duplicates: stats.duplicates, missing: stats.missing, failed: stats.failed } : {};
    this.#flags.show(FLAGS.filter((flag) => sums[flag] > 0 || on.includes(flag)).map((flag) => [flag, FLAG_LABELS[flag], flag === 'failed' ? null : sums[flag] ?? 0]), on);
  }
}

customElements.define('reeld-filters', Filters);

/** Class, label, key of the server to sort by. @type {readonly (readonly [string, string, string | null])[]} */
const COLUMNS = Object.freeze([
  ['name', 'Name', 'name'], ['time', 'Duration', 'duration'], ['resolution', 'Resolution', 'resolution'], ['codecs', 'Codecs', null],
  ['container', 'Container', null], ['size', 'Size', 'size'], ['added', 'Added', 'added'],
]);

export class TableHead extends Component {
  /** Asked for a sort: detail {sort, order} in an event `sort`. */
  #cells = COLUMNS.map(([name, label, sort], at) => el('div', { class: `cell cell-${name}`, role: 'columnheader', 'aria-colindex': at + 1 },
    sort ? el('button', { class: 'plain', text: label, onclick: () => this.#sort(sort) }) : label));
  /** @type {Question | null} */
  #question = null;

  build() {
    this.setAttribute('role', 'row');
    this.setAttribute('aria-rowindex', '1');
    this.append(...this.#cells);
  }

  /** @param {string} sort */
  #sort(sort) {
    const now = this.#question;
    const order = now?.sort === sort ? (now.order === 'asc' ? 'desc' : 'asc') : sort === 'name' ? 'asc' : 'desc';
    this.dispatchEvent(new CustomEvent('sort', { detail: { sort, order } }));
  }

  /** @param {Question} question */
  show(question) {
    this.#question = question;
    COLUMNS.forEach(([, , sort], at) => {
      const by = sort !== null && sort === question.sort;
      setAttr(this.#cells[at], 'aria-sort', by ? (question.order === 'asc' ? 'ascending' : 'descending') : null);
    });
  }
}

customElements.define('reeld-table-head', TableHead);
