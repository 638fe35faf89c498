/** The jobs: those of now as cards, those of before as lines that unfold. */

import { Component, el, focusIn, setAttr, setBusy, setText } from '../dom.js';
import { elapsed, moment, pathNode, plural, wordsOf } from '../format.js';
import { JobCard } from './jobs.js';
import { isActive, jobLabel, statusOf } from '../vocabulary.js';

const TICK_MS = 1000;

class JobLine extends Component {
  #badge = el('span', { class: 'badge' });
  #what = el('span', { class: 'line-what' });
  #end = el('span', { class: 'line-end' });
  #head;
  /** @type {Job | null} */
  #drawn = null;

  /** @param {JobView} view @param {Jobs} jobs */
  constructor(view, jobs) {
    super();
    this.view = view;
    this.#head = el('button', {
      class: 'line', 'aria-expanded': 'false', onclick: () => jobs.unfold(view),
    }, this.#badge, this.#what, this.#end);
  }

  build() {
    const { job } = this.view;
    this.#what.append(`${jobLabel(job)} `, pathNode(job.path));
    this.append(this.#head);
    this.update();
  }

  update() {
    const { job } = this.view;
    if (job === this.#drawn) return;
    this.#drawn = job;
    const status = statusOf(job);
    setAttr(this, 'data-status', job.status);
    setAttr(this, 'data-tone', status.tone);
    setText(this.#badge, status.label);
    const { result } = job;
    setText(this.#end, [
      result ? `${plural(result.scanned, 'file')}, ${result.new} new` : null,
      result && result.error_count > 0 ? `${result.error_count} failed` : null,
      result ? elapsed(result.duration_ms) : null, moment(job.finished_at ?? job.submitted_at),
    ].filter(Boolean).join(' · '));
  }
}

customElements.define('reeld-job-line', JobLine);

export class JobList extends Component {
  /** @type {Jobs} */
  #jobs;
  /** @type {Api} */
  #api;
  #now = el('div', { class: 'jobs-now' });
  #history = el('div', { class: 'jobs-before', role: 'list', 'aria-label': 'Earlier jobs' });
  #empty = el('p', { class: 'hint', text: 'No job yet. Start a scan, and watch it here.' });
  #more = el('button', { class: 'plain', text: 'Show earlier jobs', onclick: () => this.#readEarlier() });
  #problem = el('p', { class: 'problem', role: 'alert' });
  /** @type {Roots} */
  #roots;
  /** @type {Map<JobView, JobCard>} */
  #cards = new Map();
  /** @type {Map<JobView, JobLine>} */
  #lines = new Map();

  build() {
    this.append(this.#empty, this.#now, this.#history, this.#more, this.#problem);
  }

  /** @param {Api} api @param {Jobs} jobs @param {Roots} roots */
  connect(api, jobs, roots) {
    this.#api = api;
    this.#jobs = jobs;
    this.#roots = roots;
    jobs.addEventListener('change', () => this.invalidateSoon());
    roots.addEventListener('change', () => this.invalidateSoon());
    setInterval(() => {
      if (jobs.busy()) this.invalidateSoon();
    }, TICK_MS);
    this.invalidate();
  }

  update() {
    const held = this.#focused();
    const jobs = this.#jobs;
    const views = jobs.sorted();
    const now = views.filter((view) => view.fresh || view.gone || isActive(view.job));
    const before = views.filter((view) => !(view.fresh || view.gone || isActive(view.job)));
    this.#empty.hidden = views.length > 0;
    this.#history.hidden = before.length === 0;
    this.#more.hidden = !jobs.earlier;
    arrange(this.#now, now, this.#cards, (view) => new JobCard(view, jobs, this.#api, this.#roots));
    arrange(this.#history, before, this.#lines, (view) => {
      const line = new JobLine(view, jobs);
      line.setAttribute('role', 'listitem');
      return line;
    });
    this.#refocus(held, now);
  }

  /** What has the focus, and the card or line that it is in. */
  #focused() {
    const node = document.activeElement;
    if (!(node instanceof HTMLElement) || !this.contains(node)) return null;
    const form = node.closest('reeld-job, reeld-job-line');
    return { node, form, at: [...this.#now.children].findIndex((card) => card === form) };
  }

  /**
   * What had the focus may have moved, or gone: then the focus goes to the job's other form. Who dismisses cards goes on among those.
   * @param {{ node: HTMLElement, form: Element | null, at: number } | null} held @param {JobView[]} now
   */
  #refocus(held, now) {
    const active = document.activeElement;
    if (!held || (active !== held.node && active !== document.body)) return; // it went on already
    const { node, form, at } = held;
    if (node.isConnected && node.checkVisibility()) node.focus({ preventScroll: true });
    else if (form?.isConnected) focusIn(form, { preventScroll: true });
    else if (form instanceof JobLine) focusIn(this.#cards.get(form.view) ?? this);
    else if (form instanceof JobCard) {
      const next = form.followed ? now[0] : now[at] ?? now.at(-1);
      const card = next && this.#cards.get(next);
      if (card && !form.followed) card.takeFocus();
      else focusIn(card ?? this.#lines.get(form.view) ?? this);
    } else focusIn(this.#history);
  }

  async #readEarlier() {
    setBusy(this.#more, true);
    const from = this.#history.children.length;
    try {
      await this.#jobs.readEarlier();
      setText(this.#problem, '');
    } catch (error) {
      setText(this.#problem, `They could not be read: ${wordsOf(error)}`);
    }
    setBusy(this.#more, false);
    const has = document.activeElement === this.#more;
    this.update();
    if (has && this.#more.hidden) focusIn(this.#history.children[from] ?? this.#history); // where one reads on
  }
}

/**
 * Makes the children of `box` those of `views`, in that order, keeping the elements that are there.
 * @template {Component} T
 * @param {HTMLElement} box @param {JobView[]} views @param {Map<JobView, T>} made @param {(view: JobView) => T} make
 */
function arrange(box, views, made, make) {
  const wanted = new Set(views);
  for (const [view, element] of made) {
    if (wanted.has(view)) continue;
    element.remove();
    made.delete(view);
  }
  views.forEach((view, at) => {
    let element = made.get(view);
    if (!element) {
      element = make(view);
      made.set(view, element);
    }
    if (box.children[at] !== element) box.insertBefore(element, box.children[at] ?? null);
    element.update();
  });
}

customElements.define('reeld-jobs', JobList);
