/** What a scan begins with: the choice of a folder, the form, and the library's folders. */

import { Component, el, focusIn, keepFocus, recall, remember, setAttr, setBusy, setText } from '../dom.js';
import { count, dirName, moment, nameNode, pathNode, plainName, plural, wordsOf } from '../format.js';
import { RefusedNote } from './parts.js';
import { rootReason } from '../vocabulary.js';

const PAGE = 200;
const SHOWN_MAX = 2000;

export class DirectoryDialog extends Component {
  /** @type {Api} */
  #api;
  /** @type {Place | null} */
  #place = null;
  #ask = 0;
  /** @type {((place: Place | null) => void) | null} */
  #answer = null;
  #where = el('p', { class: 'where', 'aria-live': 'polite' });
  #list = el('ul', { class: 'directories', 'aria-labelledby': 'directory-title' });
  #state = el('p', { class: 'hint', role: 'status' });
  #more = el('button', { class: 'plain', text: 'Show more' });
  #choose = el('button', { class: 'primary', text: 'Choose this folder', onclick: () => this.#done(this.#place) });
  #dialog = el('dialog', { class: 'wide', 'aria-labelledby': 'directory-title', onclose: () => this.#done(null) },
    el('div', { class: 'dialog' },
      el('h2', { id: 'directory-title', text: 'Choose a folder' }), this.#where, this.#list, this.#state, this.#more,
      el('div', { class: 'actions' },
        el('button', { class: 'plain', text: 'Cancel', onclick: () => this.#done(null) }), this.#choose)));

  build() {
    this.append(this.#dialog);
  }

  /** @param {Api} api */
  connect(api) {
    this.#api = api;
  }

  /** @param {Place} start where to begin; elsewhere when that can't be shown @returns {Promise<Place | null>} */
  async pick(start) {
    this.#done(null);
    this.#dialog.showModal();
    const picked = new Promise((/** @type {(place: Place | null) => void} */ resolve) => {
      this.#answer = resolve;
    });
    if (!start.path || !(await this.#go(start, true))) this.#go(undefined, false);
    return picked;
  }

  /** @param {Place | null} place */
  #done(place) {
    const answer = this.#answer;
    this.#answer = null;
    this.#ask++;
    if (this.#dialog.open) this.#dialog.close();
    answer?.(place);
  }

  /** @param {Place | undefined} place @param {boolean} silent */
  async #go(place, silent) {
    const ask = ++this.#ask;
    setText(this.#state, 'Reading…');
    this.#more.hidden = true;
    try {
      const page = await this.#read(place, 0);
      if (ask !== this.#ask) return true;
      // The list of the library's roots stands nowhere itself: what it holds does not lie beneath it.
      const roots = page.parent === null && page.directories.some(({ path }) => dirName(path) !== page.path);
      this.#place = roots ? null : { path: page.path, path_uri: page.path_uri };
      this.#choose.disabled = roots;
      this.#where.replaceChildren(roots ? 'Library folders' : pathNode(page.path));
      this.#list.replaceChildren();
      if (page.parent !== null) this.#list.append(this.#up('One level up', { path: page.parent, path_uri: page.parent_uri }));
      else if (!roots && page.path !== '/') this.#list.append(this.#up('All library folders', undefined));
      this.#add(page, place, ask);
      focusIn(this.#list);
      return true;
    } catch (error) {
      if (ask !== this.#ask) return true;
      if (!silent) setText(this.#state, wordsOf(error));
      return false;
    }
  }

  /** @param {Place | undefined} place @param {number} offset @returns {Promise<DirectoryPage>} */
  #read(place, offset) {
    return this.#api.directories(place, offset, PAGE);
  }

  /** @param {string} label @param {Place | undefined} place */
  #up(label, place) {
    return el('li', {}, el('button', { class: 'entry up', text: label, onclick: () => this.#go(place, false) }));
  }

  /** @param {DirectoryPage} page @param {Place | undefined} place @param {number} ask */
  #add(page, place, ask) {
    for (const directory of page.directories) this.#list.append(this.#entry(directory));
    const shown = page.offset + page.directories.length;
    const left = page.total - shown;
    setText(this.#state, page.total === 0 ? 'There are no folders in here.'
      : left > 0 ? `${count(shown)} of ${count(page.total)} folders` : '');
    this.#more.hidden = left <= 0 || shown >= SHOWN_MAX || page.directories.length === 0;
    this.#more.onclick = async () => {
      try {
        const next = await this.#read(place, shown);
        if (ask !== this.#ask) return;
        const had = document.activeElement === this.#more;
        const from = this.#list.children.length;
        this.#add(next, place, ask);
        if (had && this.#more.hidden) focusIn(this.#list.children[from] ?? this.#list);
      } catch (error) {
        if (ask === this.#ask) setText(this.#state, wordsOf(error));
      }
    };
  }

  /** @param {Directory} directory */
  #entry(directory) {
    const readable = directory.readable !== false;
    return el('li', {}, el('button', {
      class: 'entry', disabled: !readable, onclick: () => this.#go(directory, false),
    }, nameNode(directory.name), readable ? '' : ' – may not be read'));
  }
}

customElements.define('reeld-directory-dialog', DirectoryDialog);

const REMEMBERED = 'reeld.folder';

export class ScanForm extends Component {
  /** @type {Jobs} */
  #jobs;
  /** @type {DirectoryDialog} */
  #dialog;
  /** The picked folder, exactly, while the field still shows it: a name may hold bytes or line breaks
   * that no text field can. @type {{ shown: string, place: Place } | null} */
  #picked = null;
  #field = el('input', {
    type: 'text', id: 'folder', name: 'folder', required: true, autocomplete: 'off', autocapitalize: 'none',
    spellcheck: 'false', placeholder: '/media/films', 'aria-describedby': 'folder-problem', dir: 'ltr',
  });
  #recursive = el('input', { type: 'checkbox', id: 'recursive', checked: true });
  #retry = el('input', { type: 'checkbox', id: 'retry-failed' });
  #dry = el('input', { type: 'checkbox', id: 'dry-run' });
  #problem = el('p', { class: 'problem', id: 'folder-problem', role: 'alert' });
  #start = el('button', { type: 'submit', class: 'primary', text: 'Start scan' });

  build() {
    this.#field.value = recall(REMEMBERED) ?? '';
    this.append(el('form', { class: 'scan-form', novalidate: true, onsubmit: (event) => this.#submit(event) },
      el('label', { for: 'folder', text: 'Folder on the server' }),
      el('div', { class: 'field-row' }, this.#field,
        el('button', { text: 'Browse…', onclick: () => this.#browse() })),
      this.#problem,
      el('div', { class: 'field-row options' },
        el('label', { class: 'check' }, this.#recursive, 'With sub-folders'),
        el('label', { class: 'check' }, this.#retry, 'Try failed files again'),
        el('label', { class: 'check' }, this.#dry, 'Only say what would change'),
        this.#start)));
  }

  /** @param {Jobs} jobs @param {DirectoryDialog} dialog */
  connect(jobs, dialog) {
    this.#jobs = jobs;
    this.#dialog = dialog;
  }

  /** @returns {Place} */
  #place() {
    const shown = this.#field.value;
    return this.#picked?.shown === shown ? this.#picked.place : { path: shown.trim() };
  }

  async #browse() {
    const place = await this.#dialog.pick(this.#place());
    if (!place) return;
    this.#field.value = place.path;
    this.#picked = { shown: this.#field.value, place };
    this.#say('');
    this.#field.focus();
  }

  /** @param {string} problem */
  #say(problem) {
    setText(this.#problem, problem);
    setAttr(this.#field, 'aria-invalid', problem ? 'true' : null);
  }

  /** @param {Event} event */
  async #submit(event) {
    event.preventDefault();
    const shown = this.#field.value;
    const place = this.#place();
    if (!place.path) {
      this.#say('Say which folder.');
      this.#field.focus();
      return;
    }
    if (await this.scan(place)) remember(REMEMBERED, shown);
    else this.#field.focus();
  }

  /** Starts one as the options say; false: it could not be, and why is said. @param {Place} place */
  async scan(place) {
    this.#say('');
    setBusy(this.#start, true);
    const problem = await this.#jobs.scan(place, {
      recursive: this.#recursive.checked, retry_failed: this.#retry.checked, dry_run: this.#dry.checked,
    });
    setBusy(this.#start, false);
    this.#say(problem);
    return !problem;
  }
}

customElements.define('reeld-scan-form', ScanForm);

// The library's folders:

class RootLine extends Component {
  #state = el('p', { class: 'hint' });
  #scan = el('button', { text: 'Scan' });
  #refused;

  /** @param {Root} root @param {Api} api @param {Roots} roots @param {(place: Place) => Promise<unknown>} scan */
  constructor(root, api, roots, scan) {
    super();
    this.root = root;
    this.#refused = new RefusedNote(api, () => roots.refresh().catch(() => {}));
    this.#scan.setAttribute('aria-label', `Scan ${plainName(root.path)}`);
    this.#scan.onclick = async () => {
      setBusy(this.#scan, true);
      await scan({ path: this.root.path, path_uri: this.root.path_uri });
      setBusy(this.#scan, false);
    };
  }

  build() {
    this.append(el('div', { class: 'root-head' }, el('div', {}, pathNode(this.root.path), this.#state), this.#scan), this.#refused);
    this.update();
  }

  update() {
    keepFocus(this, () => this.#draw());
  }

  #draw() {
    const { root } = this;
    setAttr(this, 'data-online', String(root.online));
    setText(this.#state, [
      root.online ? null : `Out of reach: ${rootReason(root.reason)}`,
      typeof root.videos === 'number' ? plural(root.videos, 'video') : null,
      root.scanned_at ? `looked through ${moment(root.scanned_at)}` : 'not looked through yet',
    ].filter(Boolean).join(' · '));
    this.#refused.show(root.path, root.refused ? { ...root.refused, root: root.number } : null);
  }
}

customElements.define('reeld-root', RootLine);

export class RootList extends Component {
  /** @type {Map<number, RootLine>} */
  #lines = new Map();
  #list = el('div', { class: 'roots', role: 'list' });
  /** @type {Roots} */
  #roots;
  /** @type {Api} */
  #api;
  /** @type {(place: Place) => Promise<unknown>} */
  #scan = () => Promise.resolve();

  build() {
    this.append(this.#list);
  }

  /** @param {Api} api @param {Roots} roots @param {(place: Place) => Promise<unknown>} scan */
  connect(api, roots, scan) {
    this.#api = api;
    this.#roots = roots;
    this.#scan = scan;
    roots.addEventListener('change', () => this.invalidate());
    this.invalidate();
  }

  update() {
    const roots = this.#roots;
    this.hidden = roots.list.length === 0;
    for (const [number, line] of this.#lines) {
      if (roots.list.some((root) => root.number === number)) continue;
      line.remove();
      this.#lines.delete(number);
    }
    for (const root of roots.list) {
      let line = this.#lines.get(root.number);
      if (!line) {
        line = new RootLine(root, this.#api, roots, this.#scan);
        line.setAttribute('role', 'listitem');
        this.#lines.set(root.number, line);
        this.#list.append(line);
      }
      line.root = root;
      line.update();
    }
  }
}

customElements.define('reeld-roots', RootList);
