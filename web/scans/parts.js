/** Parts of a job's card: its failures, what a dry run would do, what a scan refused to hide, and its speed. */

import { announce, Component, el, focusIn, setBusy, setText } from '../dom.js';
import { baseName, count, dirName, nameNode, pathNode, plainName, plural, sentence, wordsOf } from '../format.js';
import { failedCount } from '../jobs.js';
import { ApiError } from '../server.js';
import { failureText, isActive, remedyFor, rootReason } from '../vocabulary.js';

const LATEST = 20;
const PAGE = 50;
const SHOWN_MAX = 1000;

export class FailureList extends Component {
  #summary = el('summary');
  #list = el('ul', { class: 'failures' });
  #note = el('p', { class: 'hint', role: 'status' });
  #more = el('button', { class: 'plain', text: 'Show more', onclick: () => this.#next() });
  #details = el('details', { ontoggle: () => this.update() }, this.#summary, this.#list, this.#note, this.#more);
  #version = -1;
  /** Whether the list shows pages read over REST, and of how many failures. @type {number | null} */
  #pagesOf = null;
  #shown = 0;
  /** @type {string | undefined} */
  #cursor;
  #loading = false;
  #opened = false;

  /** @param {JobView} view @param {Jobs} jobs @param {Api} api */
  constructor(view, jobs, api) {
    super();
    this.view = view;
    this.jobs = jobs;
    this.api = api;
  }

  build() {
    this.append(this.#details);
  }

  update() {
    const { view } = this;
    const failed = Math.max(failedCount(view.job), view.failures.size);
    this.hidden = failed === 0;
    if (failed === 0) return;
    setText(this.#summary, plural(failed, 'file could not be taken up', 'files could not be taken up'));
    if (!this.#opened && view.fresh) {
      this.#opened = true;
      this.#details.open = true;
    }
    if (!this.#details.open) return;
    if (isActive(view.job) || view.gone) this.#showLatest(failed);
    else if (this.#pagesOf !== failed && !this.#loading) this.#firstPage(failed);
  }

  /** @param {number} failed */
  #showLatest(failed) {
    if (this.#version === this.view.failuresVersion) return;
    this.#version = this.view.failuresVersion;
    const latest = [...this.view.failures.values()].slice(-LATEST).reverse();
    this.#list.replaceChildren(...latest.map((failure) => this.#item(failure)));
    setText(this.#note, failed > latest.length ? `The latest ${latest.length} of ${count(failed)}.` : '');
    this.#more.hidden = true;
  }

  /** @param {number} failed */
  #firstPage(failed) {
    this.#pagesOf = failed;
    this.#cursor = undefined;
    this.#shown = 0;
    this.#next();
  }

  async #next() {
    const first = this.#shown === 0;
    this.#loading = true;
    try {
      const page = await this.api.failures(this.view.job.job_id, PAGE, this.#cursor);
      const items = page.failures.map((failure) => this.#item(failure));
      if (first) this.#list.replaceChildren(...items);
      else this.#list.append(...items);
      this.#shown += items.length;
      this.#cursor = page.next_cursor ?? undefined;
      this.#more.hidden = !page.next_cursor || this.#shown >= SHOWN_MAX;
      setText(this.#note, page.next_cursor ? `${count(this.#shown)} of ${count(page.total)}.` : '');
      if (!first && items[0]) {
        items[0].tabIndex = -1;
        items[0].focus();
      }
    } catch (error) {
      setText(this.#note, `They could not be read: ${wordsOf(error)}`);
      this.#more.hidden = false;
    } finally {
      this.#loading = false;
    }
  }

  /** @param {Failure} failure */
  #item(failure) {
    const reason = failureText(failure);
    const detail = plainName(failure.error ?? '');
    const item = el('li', {}, el('span', { class: 'failure-name' }, nameNode(baseName(failure.path))),
      el('span', { class: 'failure-reason', text: sentence(reason) }));
    if (detail && detail !== reason) item.append(el('span', { class: 'failure-detail', text: detail }));
    item.append(el('span', { class: 'failure-remedy', text: remedyFor(failure) }),
      el('span', { class: 'failure-folder' }, pathNode(dirName(failure.path)), ' ', el('code', { text: failure.code })));
    if (!isActive(this.view.job)) item.append(this.#again(failure));
    return item;
  }

  /** A button that has this one file read again, as a job of its own. @param {Failure} failure */
  #again(failure) {
    const word = el('span', { text: 'Try again' });
    const button = el('button', {
      class: 'plain failure-again', onclick: async () => {
        setBusy(button, true);
        setText(word, 'Trying…');
        const problem = await this.jobs.scan(failure, { recursive: false, retry_failed: true });
        setText(word, problem || 'See the new job');
        setBusy(button, !problem);
      },
    }, word, el('span', { class: 'visually-hidden', text: ` ${plainName(baseName(failure.path))}` }));
    return button;
  }
}

customElements.define('reeld-failures', FailureList);

export class PlanList extends Component {
  #summary = el('summary');
  #list = el('ul', { class: 'plan' });
  #note = el('p', { class: 'hint' });
  #details = el('details', {}, this.#summary, this.#list, this.#note);
  /** @type {PlanLine[] | null} */
  #shown = null;

  build() {
    this.append(this.#details);
  }

  /** @param {Job} job */
  show({ dry_run, result }) {
    const plan = dry_run ? result?.plan ?? null : null;
    this.hidden = plan === null || plan.length === 0;
    if (!plan || !result || plan === this.#shown) return;
    this.#shown = plan;
    const all = result.new + result.updated + result.moved + result.missing;
    setText(this.#summary, `What a scan would do: ${plural(all, 'change')}`);
    this.#list.replaceChildren(...plan.slice(0, SHOWN_MAX).map(line));
    setText(this.#note, all > plan.length ? `The first ${count(plan.length)} of ${count(all)}.` : '');
  }
}

/** @param {PlanLine} planned */
function line({ outcome, path, from }) {
  const item = el('li', {}, el('span', { class: 'plan-outcome', text: outcome }), ' ', nameNode(baseName(path)),
    el('span', { class: 'failure-folder' }, pathNode(dirName(path))));
  if (from) item.append(el('span', { class: 'failure-folder' }, 'from ', pathNode(from)));
  return item;
}

customElements.define('reeld-plan', PlanList);

const EXAMPLES = 5;

export class RefusedNote extends Component {
  #text = el('p');
  #state = el('p', { class: 'problem', role: 'alert' });
  #open = el('button', { text: 'They are gone for good…', onclick: () => this.#ask() });
  #path = '';
  /** @type {(Refused & { root: number }) | null} */
  #refused = null;
  /** @type {HTMLDialogElement | null} */
  #dialog = null;
  /** Answered, so that an older answer of the server does not bring the question back. */
  #answered = '';

  /** @param {Api} api @param {() => void} done something was hidden: what is shown is to be read again */
  constructor(api, done) {
    super();
    this.api = api;
    this.done = done;
    this.hidden = true;
  }

  build() {
    this.append(this.#text, el('div', { class: 'actions' }, this.#open), this.#state);
  }

  /** @param {string} path of the folder @param {(Refused & { root: number }) | null} refused */
  show(path, refused) {
    this.#path = path;
    this.#refused = refused;
    if (this.#dialog && this.#dialog.dataset.token !== refused?.token) this.#dialog.close('over');
    const answered = refused !== null && refused.token === this.#answered;
    this.hidden = refused === null || answered;
    if (!refused || answered) return;
    setText(this.#text, `${plural(refused.count, 'video was', 'videos were')} left as they were. `
      + 'Is a disk not mounted? Mount it and scan again; nothing is lost.');
    this.#open.hidden = !refused.token;
  }

  async #ask() {
    const refused = this.#refused;
    if (!refused?.token) return;
    const examples = el('ul', { class: 'examples' });
    const dialog = el('dialog', { 'aria-labelledby': 'refused-title' },
      el('form', { class: 'dialog', method: 'dialog' },
        el('h2', { id: 'refused-title', text: `Hide ${plural(refused.count, 'video')}?` }),
        el('p', {}, 'They are in ', pathNode(this.#path), `. It was not done, for ${rootReason(refused.reason)}.`), examples,
        el('p', { text: 'Hidden videos keep all that is known of them, and come back with their files.' }),
        el('div', { class: 'actions' },
          el('button', { type: 'submit', class: 'plain', value: 'no', text: 'Leave them' }),
          el('button', { type: 'submit', class: 'primary danger', value: 'yes', text: `Hide ${plural(refused.count, 'video')}` }))));
    dialog.dataset.token = refused.token;
    this.#dialog = dialog;
    document.body.append(dialog);
    dialog.showModal();
    if (refused.reason !== 'many') this.#examples(examples, refused.count);
    await new Promise((resolve) => dialog.addEventListener('close', resolve, { once: true }));
    dialog.remove();
    this.#dialog = null;
    if (dialog.returnValue === 'over') announce('That question is over: another scan found otherwise.');
    if (dialog.returnValue === 'yes') await this.#accept(refused.root, refused.token);
    const focused = document.activeElement;
    // Unless one went on meanwhile.
    if (!focused || focused === document.body || this.contains(focused)) focusIn(this);
  }

  /** Some of them, where it is known which: all of the folder. @param {HTMLElement} list @param {number} total */
  async #examples(list, total) {
    const folder_uri = encodeURIComponent(this.#path).replaceAll('%2F', '/');
    const { videos } = await this.api.videos({ folder_uri, limit: EXAMPLES }).catch(() => ({ videos: [] })); // the number says enough
    list.append(...videos.map(({ filename }) => el('li', {}, nameNode(filename))));
    if (videos.length > 0 && total > videos.length) list.append(el('li', { class: 'hint', text: `and ${total - videos.length} more` }));
  }

  /** @param {number} root @param {string} token */
  async #accept(root, token) {
    setBusy(this.#open, true);
    setText(this.#state, '');
    try {
      const { missing } = await this.api.acceptMissing(root, token);
      this.#answered = token;
      this.hidden = true;
      announce(`${plural(missing, 'video is', 'videos are')} hidden.`);
    } catch (error) {
      setText(this.#state, error instanceof ApiError && error.status === 409
        ? 'Since then another scan found otherwise, or the server was restarted. Scan the folder again.'
        : wordsOf(error));
    } finally {
      setBusy(this.#open, false);
      this.done();
    }
  }
}

customElements.define('reeld-refused', RefusedNote);

const SVG = 'http://www.w3.org/2000/svg';
const WIDTH = 120;
const HEIGHT = 28;

/** @param {string} name @param {Record<string, string>} attributes */
function shape(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

export class SpeedGraph extends Component {
  #area = shape('path', { class: 'graph-area' });
  #line = shape('path', { class: 'graph-line', 'vector-effect': 'non-scaling-stroke' });
  #shown = '';

  build() {
    this.setAttribute('aria-hidden', 'true');
    const svg = shape('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: 'none', focusable: 'false' });
    svg.append(this.#area, this.#line);
    this.append(svg);
  }

  /** @param {number[]} points */
  show(points) {
    this.hidden = points.length < 3;
    const path = points.length < 3 ? '' : curve(points);
    if (path === this.#shown) return;
    this.#shown = path;
    this.#line.setAttribute('d', path);
    this.#area.setAttribute('d', `${path}V${HEIGHT}H0Z`);
  }
}

/** @param {number[]} points */
function curve(points) {
  const most = Math.max(...points, 1);
  const step = WIDTH / (points.length - 1);
  return points.map((value, at) => `${at ? 'L' : 'M'}${(at * step).toFixed(1)} ${(HEIGHT - 1 - (value / most) * (HEIGHT - 3)).toFixed(1)}`).join('');
}

customElements.define('reeld-speed-graph', SpeedGraph);
