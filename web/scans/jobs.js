/** The card of a job, on which every status has a visible end. */

import { Component, el, focusIn, keepFocus, setAttr, setBusy, setText } from '../dom.js';
import { baseName, count, dirName, elapsed, moment, nameNode, pathNode, percent, plainName, plural, rate, timeLeft } from '../format.js';
import { failedCount, isCounted } from '../jobs.js';
import { FailureList, PlanList, RefusedNote, SpeedGraph } from './parts.js';
import { isActive, isQueued, isTerminal, jobLabel, OUTCOMES, phaseLabel, statusOf, TRIGGERS } from '../vocabulary.js';

/* After this long a cancel that changed nothing may be asked for again. */
const CANCEL_AGAIN_MS = 10000;
/* Of a job that is no scan, what it does not count is not shown, but for these. */
const ALWAYS_COUNTED = new Set(['new', 'failed']);

/** @type {Words} */
const AGAIN = { timeout: 'Continue', cancelled: 'Continue', failed: 'Try again', complete: 'Scan again' };

export class JobCard extends Component {
  #badge = el('span', { class: 'badge' });
  #title = el('h4', { class: 'job-title' });
  #cancel = el('button', { text: 'Cancel', onclick: () => this.#stop() });
  #pause = el('button', { text: 'Pause', onclick: () => this.#turn() });
  #again = el('button', { onclick: () => this.#rescan() });
  #retry = el('button', { text: 'Try all failed files again', onclick: () => this.#rescan(true) });
  #fold = el('button', { class: 'plain', text: 'Dismiss', onclick: () => this.jobs.fold(this.view) });
  #fill = el('div', { class: 'bar-fill' });
  #bar = el('div', { class: 'bar', role: 'progressbar', 'aria-valuemin': 0, 'aria-valuemax': 100 }, this.#fill);
  #line = el('p', { class: 'job-line' });
  #graph = new SpeedGraph();
  #at = el('p', { class: 'job-at' });
  #text = el('p', { class: 'job-text' });
  #problem = el('p', { class: 'problem', role: 'alert' });
  #counts = el('dl', { class: 'counts' });
  /** @type {Map<string, { box: HTMLElement, value: HTMLElement }>} */
  #numbers = new Map();
  #refused;
  #plan;
  #failures;
  #shownPath = '';
  #shownAt = '';
  #cancelled = 0;
  #turning = false;
  /** Whether another job goes on from this one. */
  followed = false;

  /** @param {JobView} view @param {Jobs} jobs @param {Api} api @param {Roots} roots */
  constructor(view, jobs, api, roots) {
    super();
    this.view = view;
    this.jobs = jobs;
    this.api = api;
    this.roots = roots;
    this.#refused = new RefusedNote(api, () => roots.refresh().catch(() => {}));
    this.#plan = new PlanList();
    this.#failures = new FailureList(view, jobs, api);
  }

  build() {
    const id = `job-${this.view.job.job_id}`;
    this.#title.id = id;
    this.setAttribute('role', 'group');
    this.setAttribute('aria-labelledby', id);
    this.#bar.setAttribute('aria-labelledby', id);
    for (const [outcome, label] of Object.entries(OUTCOMES)) {
      const value = el('dd');
      const box = el('div', { class: `count count-${outcome}` }, el('dt', { text: label }), value);
      this.#numbers.set(outcome, { box, value });
      this.#counts.append(box);
    }
    this.append(
      el('div', { class: 'job-head' }, this.#badge, this.#title,
        el('div', { class: 'job-actions' }, this.#pause, this.#cancel, this.#again, this.#fold)),
      this.#bar, el('div', { class: 'job-pace' }, this.#line, this.#graph),
      this.#counts, this.#at, this.#text, this.#problem, this.#refused, this.#plan, this.#failures, this.#retry);
    this.update();
  }

  async #stop() {
    this.#cancelled = Date.now();
    this.update();
    try {
      await this.api.cancel(this.view.job.job_id);
    } catch {
      this.#cancelled = 0; // it had ended already, or the server is away: reading it says which
    }
    await this.jobs.read(this.view.job.job_id);
    this.invalidate();
  }

  async #turn() {
    this.#turning = true;
    this.update();
    const { job_id: id, paused } = this.view.job;
    try {
      this.jobs.take(await this.api.pause(id, !paused), Infinity);
    } catch {
      await this.jobs.read(id); // it had ended already, or the server is away: reading it says which
    }
    this.#turning = false;
    this.invalidate();
  }

  /** The same once more, which goes on where this one stopped. @param {boolean} [retry_failed] */
  async #rescan(retry_failed = false) {
    const { job } = this.view;
    this.#setTrying(true);
    const problem = await this.jobs.scan(job, { recursive: job.recursive !== false, retry_failed, dry_run: job.dry_run });
    setText(this.#problem, problem);
    this.#setTrying(false);
    if (problem) return;
    this.followed = true;
    this.jobs.fold(this.view);
  }

  /** @param {boolean} trying */
  #setTrying(trying) {
    setBusy(this.#again, trying);
    setBusy(this.#retry, trying);
  }

  /** Where those before it were dismissed, this one is next. */
  takeFocus() {
    if (this.#fold.hidden) focusIn(this);
    else this.#fold.focus();
  }

  update() {
    keepFocus(this, () => this.#draw());
  }

  #draw() {
    const { view } = this;
    const { job } = view;
    const status = view.gone
      ? { tone: 'bad', label: 'Lost', text: 'The server does not know this job any more; nothing more will come of it.' }
      : statusOf(job);
    const active = !view.gone && isActive(job);
    setAttr(this, 'data-status', view.gone ? 'gone' : job.status);
    setAttr(this, 'data-tone', status.tone);
    this.toggleAttribute('data-stale', active && this.jobs.stale);
    setText(this.#badge, status.label);
    if (this.#shownPath !== job.path) {
      this.#shownPath = job.path;
      this.#title.setAttribute('aria-label', `${jobLabel(job)} ${plainName(job.path)}`);
      this.#title.replaceChildren(`${jobLabel(job)} `, pathNode(job.path));
    }
    this.#updateActions(active);
    this.#updateBar(active);
    setText(this.#line, active ? this.#progressLine() : this.#endLine());
    this.#graph.show(view.pace.points);
    this.#updateCounts();
    this.#updateAt(active && !job.paused && !isQueued(job));
    this.#updateText(active, status.text);
    this.#updateRefused();
    this.#plan.show(job);
    this.#failures.update();
  }

  /** @param {boolean} active */
  #updateActions(active) {
    const { job, gone } = this.view;
    const cancelling = active && Date.now() - this.#cancelled < CANCEL_AGAIN_MS;
    this.#cancel.hidden = !active;
    setBusy(this.#cancel, cancelling);
    setText(this.#cancel, cancelling ? 'Cancelling…' : 'Cancel');
    this.#pause.hidden = !active;
    setBusy(this.#pause, cancelling || this.#turning);
    setText(this.#pause, job.paused ? 'Resume' : 'Pause');
    this.#again.hidden = active || job.type !== 'scan';
    setText(this.#again, !gone && Object.hasOwn(AGAIN, job.status) ? AGAIN[job.status] : 'Scan again');
    this.#retry.hidden = active || job.type !== 'scan' || Boolean(job.dry_run) || failedCount(job) === 0;
    this.#fold.hidden = active;
  }

  /** @param {boolean} active */
  #updateBar(active) {
    const { job } = this.view;
    const known = isCounted(job);
    const running = active && !this.jobs.stale && job.status === 'running' && !job.paused && !isQueued(job);
    this.#bar.classList.toggle('moving', running && !known);
    this.#bar.hidden = !known && !active; // it ended before anybody knew how much there is
    const part = known ? Math.min(Math.max(/** @type {number} */ (job.progress), 0), 1) : 0;
    this.#fill.style.transform = `scaleX(${part})`;
    setAttr(this.#bar, 'aria-valuenow', known ? String(Math.floor(part * 100)) : null);
    setAttr(this.#bar, 'aria-valuetext', known ? `${Math.floor(part * 100)} %, ${this.#done()}` : this.#done());
  }

  #done() {
    const { job } = this.view;
    return `${count(job.processed)} of ${plural(job.total, 'file')}`;
  }

  #progressLine() {
    const { job, pace } = this.view;
    const place = isQueued(job) ? `${count(/** @type {number} */ (job.queue_position) + 1)}. in the queue` : null;
    if (job.status === 'pending') return [`Submitted ${moment(job.submitted_at)}`, place].filter(Boolean).join(' · ');
    const resting = job.paused || isQueued(job) || this.jobs.stale;
    const known = isCounted(job);
    const now = performance.now();
    const speed = resting ? null : pace.rate(now);
    const left = resting || !known ? null : pace.left(now, job.total - job.processed);
    return [
      known ? percent(/** @type {number} */ (job.progress), job.total) : null,
      known ? this.#done() : `${plural(job.processed, 'file')} done, ${count(Math.max(job.total, job.processed))} found so far`,
      speed === null ? null : rate(speed),
      left === null ? null : timeLeft(left),
      job.started_at ? elapsed(Date.now() - Date.parse(job.started_at)) : null,
      known || resting ? null : phaseLabel(job.phase),
      place,
    ].filter(Boolean).join(' · ');
  }

  #endLine() {
    const { job } = this.view;
    if (this.view.gone || !isTerminal(job)) return `Last seen at ${this.#done()}`;
    const { result } = job;
    const speed = result && result.duration_ms >= 1000 ? (result.scanned * 1000) / result.duration_ms : null;
    return [
      result ? `${plural(result.scanned, 'file')} looked at in ${elapsed(result.duration_ms)}` : this.#done(),
      speed === null ? null : rate(speed),
      result && result.missing > 0 ? `${count(result.missing)} missing` : null,
      moment(job.finished_at),
    ].filter(Boolean).join(' · ');
  }

  #updateCounts() {
    const { job } = this.view;
    const result = job.result;
    const counts = result ? { ...result, failed: result.error_count } : job.counts;
    this.#counts.hidden = !counts;
    if (!counts) return;
    for (const outcome of /** @type {(keyof typeof OUTCOMES)[]} */ (Object.keys(OUTCOMES))) {
      const { box, value } = /** @type {{ box: HTMLElement, value: HTMLElement }} */ (this.#numbers.get(outcome));
      const number = outcome === 'failed' ? failedCount(job) : counts[outcome] ?? 0;
      setText(value, count(number));
      box.classList.toggle('none', number === 0);
      box.hidden = job.type !== 'scan' && number === 0 && !ALWAYS_COUNTED.has(outcome);
    }
  }

  /** @param {boolean} active */
  #updateAt(active) {
    const at = active ? this.view.at : null;
    this.#at.hidden = !at;
    if (!at || at === this.#shownAt) return;
    this.#shownAt = at;
    const folder = el('span', { class: 'job-folder' });
    folder.append(pathNode(dirName(at)));
    this.#at.replaceChildren(nameNode(baseName(at)), folder);
  }

  /** @param {boolean} active @param {string} meaning of the status */
  #updateText(active, meaning) {
    const { job, seen } = this.view;
    const why = job.error ? plainName(job.error) : '';
    setText(this.#text, [
      why && !/[.!?]$/.test(why) ? `${why}.` : why,
      meaning,
      active && this.jobs.stale ? `The connection is lost; this is how it stood at ${moment(new Date(seen).toISOString())}. It goes on in the server.` : '',
      active && job.trigger !== 'api' ? `It was started ${Object.hasOwn(TRIGGERS, job.trigger) ? TRIGGERS[job.trigger] : `by “${job.trigger}”`}.` : '',
    ].filter(Boolean).join(' '));
    this.#text.hidden = !this.#text.textContent;
  }

  /** What was refused is asked about as long as the server would still take the answer. */
  #updateRefused() {
    const refused = this.view.job.result?.refused ?? null;
    const root = refused && this.roots.list.find(({ refused: open }) => open && open.token === refused.token);
    this.#refused.show(root ? root.path : '', root && refused?.token ? { ...refused, root: root.number } : null);
  }
}

customElements.define('reeld-job', JobCard);
