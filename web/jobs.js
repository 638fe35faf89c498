/** What is known of the jobs and of the library's folders. REST is the truth; frames are quicker. Events: `change`. */

import { announce } from './dom.js';
import { baseName, Pace, plainName, plural, wordsOf } from './format.js';
import { ApiError } from './server.js';
import { isActive, isKnownEvent, isQueued, isTerminal, jobLabel, statusOf } from './vocabulary.js';

/* Half-way is worth a word only of a job that takes its time. */
const LONG_MS = 15000;

/** How many failures of a job are known. @param {Job} job */
export const failedCount = (job) => job.result?.error_count ?? job.counts?.failed ?? 0;

/** @param {Job} job */
export const isCounted = (job) => job.progress !== null && job.progress !== undefined;

/** @param {Job} job */
const name = (job) => `${jobLabel(job)} of ${plainName(baseName(job.path))}`;

export class Milestones {
  #over;
  #paused;
  #counted;
  #half;

  /** @param {Job} job how it was when it was first seen */
  constructor(job) {
    this.#over = isTerminal(job);
    this.#paused = Boolean(job.paused);
    this.#counted = isCounted(job);
    this.#half = (job.progress ?? 0) >= 0.5;
  }

  /** It is another now: says what of that is a turning point. @param {Job} job */
  pass(job) {
    if (this.#over) return;
    if (isTerminal(job)) {
      this.#over = true;
      announce(endWords(job));
    } else if (isActive(job) && this.#paused !== Boolean(job.paused)) {
      this.#paused = Boolean(job.paused);
      announce(`${name(job)}: ${this.#paused ? 'Paused' : 'Goes on'}.`);
    } else if (!this.#counted && isCounted(job)) {
      this.#counted = true;
      announce(`${name(job)}: ${plural(job.total, 'file')} found.`);
    } else if (!this.#half && (job.progress ?? 0) >= 0.5) {
      this.#half = true;
      if (Date.now() - Date.parse(job.started_at ?? '') > LONG_MS) announce(`${name(job)}: half of the files are done.`);
    }
  }

  /** @param {Job} job */
  begin(job) {
    announce(isTerminal(job) ? endWords(job) : `${name(job)}: ${statusOf(job).label}.`);
  }
}

/** @param {Job} job */
function endWords(job) {
  return `${name(job)}: ${statusOf(job).label}. ${plural(job.result?.new ?? 0, 'new video')}, ${plural(failedCount(job), 'failure')}.`;
}

const REREAD_MS = 1000;

export class Roots extends EventTarget {
  /** @type {Root[]} */
  list = [];
  known = false;
  /** @type {Timer} */
  #timer;

  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
  }

  /** Throws when it can't. @returns {Promise<Root[]>} */
  async refresh() {
    this.list = (await this.api.roots()).roots;
    this.known = true;
    this.dispatchEvent(new Event('change'));
    return this.list;
  }

  /** @param {Frame} frame */
  hear({ type, payload }) {
    const root = this.list.find(({ path }) => path === payload.root);
    if (root && type === 'ROOT_OFFLINE') Object.assign(root, { online: false, reason: payload.reason ?? null });
    if (root && type === 'ROOT_ONLINE') Object.assign(root, { online: true, reason: null, refused: null });
    if (root) this.dispatchEvent(new Event('change'));
    if (!type.startsWith('ROOT_') && !/^SCAN_(?!PROGRESS)/.test(type)) return;
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.refresh().catch(() => {}); // the regular reading comes back to it
    }, REREAD_MS);
  }
}

const JOBS_SHOWN = 50;
/* So many that came since may stand before earlier ones that were read. */
const CAME_MAX = 500;
const FAILURES_KEPT = 200;
/* Ended jobs that stay unfolded by themselves. */
const UNFOLDED_MAX = 6;

/** Whether it can be taken for a job object. @param {any} value @returns {value is Job} */
const isJob = (value) => typeof value?.job_id === 'string' && typeof value.status === 'string' && typeof value.submitted_at === 'string';

/** The greater one first. @param {string} a @param {string} b */
const later = (a, b) => Number(a < b) - Number(a > b);

export class Jobs extends EventTarget {
  /** @type {Map<string, JobView>} */
  views = new Map();
  /** Nobody tells how the jobs are: what is shown may be old. */
  stale = false;
  /** Where the jobs begin that are before those here; null: there are none. @type {string | null} */
  #cursor = null;
  /** How many there were when earlier ones were read last; 0: none were. */
  #earlierRead = 0;
  #frames = 0;
  /** @type {Map<string, Promise<void>>} */
  #reading = new Map();

  /** @param {Api} api */
  constructor(api) {
    super();
    this.api = api;
  }

  #changed() {
    this.dispatchEvent(new Event('change'));
  }

  sorted() {
    const going = (/** @type {JobView} */ view) => (isActive(view.job) && !view.gone ? 0 : 1);
    return [...this.views.values()].sort((a, b) => going(a) - going(b)
      || later(a.job.submitted_at, b.job.submitted_at) || later(a.job.job_id, b.job.job_id));
  }

  /** Those that go on, the newest first. */
  going() {
    return this.sorted().filter(({ job, gone }) => isActive(job) && !gone).map(({ job }) => job);
  }

  /** Whether the server knows of jobs before those that are here. */
  get earlier() {
    return this.#cursor !== null;
  }

  busy() {
    for (const view of this.views.values()) if (!view.gone && !isTerminal(view.job)) return true;
    return false;
  }

  /**
   * Takes a job object. `mark`: how many frames had come when it was asked for; counters of an
   * answer that is older than a frame about that job do not take back what the frame said.
   * @param {Job} job @param {number} mark
   */
  take(job, mark) {
    let view = this.views.get(job.job_id);
    if (!view) {
      view = {
        job, at: null, failures: new Map(), failuresVersion: 0, pace: new Pace(), milestones: new Milestones(job),
        gone: false, fresh: !isTerminal(job), mark: 0, seen: 0,
      };
      this.views.set(job.job_id, view);
    }
    if (isTerminal(view.job) && !isTerminal(job)) return view;
    const ended = !isTerminal(view.job) && isTerminal(job);
    const older = view.mark > mark && !isTerminal(job);
    // A list leaves out what is long; who has read it keeps it.
    if (job.result?.plan === null && view.job.result?.plan) job.result.plan = view.job.result.plan;
    view.seen = Date.now();
    view.job = older
      ? { ...job, status: view.job.status, processed: view.job.processed, total: view.job.total,
        progress: view.job.progress, counts: view.job.counts, paused: view.job.paused }
      : job;
    view.gone = false;
    this.#sample(view);
    if (ended) {
      view.at = null;
      this.#keepUnfolded(view);
    }
    view.milestones.pass(view.job);
    this.#changed();
    return view;
  }

  /** It has just ended: it stays in view, unless nobody asked for it and all went well. @param {JobView} view */
  #keepUnfolded(view) {
    view.fresh = view.job.trigger !== 'watch' || view.job.status !== 'complete' || failedCount(view.job) > 0;
    const ended = this.sorted().filter(({ job, fresh }) => fresh && isTerminal(job));
    for (const one of ended.slice(UNFOLDED_MAX)) one.fresh = false;
  }

  /**
   * Has a folder or a file scanned.
   * @param {Place} place
   * @param {{ recursive: boolean, retry_failed?: boolean, dry_run?: boolean }} how
   * @returns {Promise<string>} what is wrong, in words; empty: nothing
   */
  async scan({ path, path_uri }, { recursive, retry_failed = false, dry_run = false }) {
    try {
      const { job_id: id } = await this.api.scan({ ...(path_uri ? { path_uri } : { path }), recursive, retry_failed, dry_run });
      await this.started(id);
      return '';
    } catch (error) {
      return wordsOf(error);
    }
  }

  /** A job was asked for on this page: it is shown unfolded, also when it has ended already. @param {string} id */
  async started(id) {
    await this.read(id);
    const view = this.views.get(id);
    if (!view) return; // the channel's regular reading brings it
    view.fresh = true;
    view.milestones.begin(view.job);
    this.#changed();
  }

  /** Keeps the newest that ended. Who read earlier ones keeps those, until too many came since. @param {string | null} next where those before the newest begin */
  #prune(next) {
    const ended = this.sorted().filter((view) => isTerminal(view.job) || view.gone);
    if (this.#earlierRead > 0 && ended.length < this.#earlierRead + CAME_MAX) return;
    for (const view of ended.slice(JOBS_SHOWN)) this.views.delete(view.job.job_id);
    this.#earlierRead = 0;
    this.#cursor = next;
  }

  /** @param {JobView} view */
  #sample({ job, pace }) {
    const now = performance.now();
    if (job.status !== 'running' || job.paused || isQueued(job)) pace.rest(now, job.processed);
    else pace.add(now, job.processed);
  }

  /** @param {Frame} frame */
  hear({ type, payload }) {
    this.#frames++;
    if (type === 'HELLO') {
      const jobs = Array.isArray(payload.jobs) ? payload.jobs : [];
      for (const job of jobs) if (isJob(job)) this.take(job, this.#frames);
      return;
    }
    if (typeof payload.job_id !== 'string') return;
    const view = this.views.get(payload.job_id);
    if (isKnownEvent(type) && type.endsWith('_PROGRESS')) {
      if (view) this.#progress(view, payload);
      else this.read(payload.job_id);
    } else if (isKnownEvent(type) && type.endsWith('_STARTED')) {
      if (view && !isTerminal(view.job)) view.job = { ...view.job, status: 'running', queue_position: null };
      if (view) view.mark = this.#frames;
      this.read(payload.job_id);
      this.#readWaiting();
    } else {
      // A job object (queued or ended), or a word that is not known: it is read again in any case.
      if (isKnownEvent(type) && isJob(payload)) this.take(payload, this.#frames);
      this.read(payload.job_id);
      this.#readWaiting();
    }
  }

  /** One began or ended: others may have made way for it, or go on. */
  #readWaiting() {
    for (const { job, gone } of this.views.values()) {
      if (!gone && job.status === 'running' && !job.paused) this.read(job.job_id);
    }
  }

  /** @param {JobView} view @param {any} payload */
  #progress(view, payload) {
    if (isTerminal(view.job)) return;
    if (payload.outcome === 'failed') {
      this.#addFailure(view, { path: payload.path, path_uri: payload.path_uri, code: payload.code, error: payload.error });
    }
    if (payload.processed < view.job.processed) return; // an answer of REST was here first
    view.mark = this.#frames;
    view.gone = false;
    view.seen = Date.now();
    const turned = typeof payload.paused === 'boolean' && payload.paused !== Boolean(view.job.paused);
    if (turned) view.job.paused = payload.paused;
    // A job that is paused or resumed may not have begun; one that handles files while others go first may go on.
    if (turned || isQueued(view.job)) this.read(view.job.job_id);
    else if (!view.job.paused) view.job.status = 'running';
    view.job.processed = payload.processed ?? view.job.processed;
    view.job.total = payload.total ?? view.job.total;
    view.job.progress = payload.progress ?? null;
    view.job.counts = payload.counts ?? view.job.counts;
    if (payload.path) view.at = payload.path;
    this.#sample(view);
    view.milestones.pass(view.job);
    this.#changed();
  }

  /** @param {JobView} view @param {Failure} failure */
  #addFailure(view, failure) {
    const key = failure.path_uri ?? failure.path;
    if (view.failures.has(key)) return;
    view.failures.set(key, failure);
    view.failuresVersion++;
    if (view.failures.size > FAILURES_KEPT) {
      view.failures.delete(/** @type {string} */ (view.failures.keys().next().value));
    }
  }

  /** @param {string} id */
  read(id) {
    const running = this.#reading.get(id) ?? this.#read(id).finally(() => this.#reading.delete(id));
    this.#reading.set(id, running);
    return running;
  }

  /** @param {string} id */
  async #read(id) {
    const mark = this.#frames;
    try {
      this.take(await this.api.job(id), mark);
    } catch (error) {
      const view = this.views.get(id);
      if (view && /** @type {any} */ (error).status === 404 && !isTerminal(view.job)) {
        view.gone = true;
        view.at = null;
        view.fresh = true;
        this.#changed();
      } // anything else: the channel's regular reading comes back to it
    }
  }

  /** Throws when it can't. */
  async refresh() {
    const mark = this.#frames;
    const { jobs, next_cursor } = await this.api.jobs(JOBS_SHOWN);
    const listed = new Set(jobs.map((job) => job.job_id));
    for (const job of jobs) this.take(job, mark);
    for (const view of [...this.views.values()]) {
      if (listed.has(view.job.job_id)) continue;
      if (isTerminal(view.job) && !view.gone && next_cursor === null) this.views.delete(view.job.job_id);
      else if (!isTerminal(view.job) && !view.gone) await this.read(view.job.job_id);
    }
    this.#prune(next_cursor);
    this.#changed();
    await Promise.all([...this.views.values()].map((view) => this.#readFailures(view)));
  }

  /** Fetches failures that the channel did not tell: a late start, or no socket. @param {JobView} view */
  async #readFailures(view) {
    const due = Math.min(failedCount(view.job), FAILURES_KEPT);
    if (!view.fresh || view.gone || !isActive(view.job) || view.failures.size >= due) return;
    const { failures } = await this.api.failures(view.job.job_id, 1000).catch((error) => {
      if (error instanceof ApiError) return { failures: [] }; // the counts still say how many
      throw error;
    });
    for (const failure of failures) this.#addFailure(view, failure);
    this.#changed();
  }

  /** Throws when it can't. */
  async readEarlier() {
    const mark = this.#frames;
    const { jobs, next_cursor } = await this.api.jobs(JOBS_SHOWN, this.#cursor ?? undefined);
    for (const job of jobs) this.take(job, mark);
    this.#cursor = next_cursor;
    this.#earlierRead = this.views.size;
    this.#changed();
  }

  /** @param {boolean} stale */
  setStale(stale) {
    this.stale = stale;
    this.#changed();
  }

  /** What ended before may be of another catalogue: it is read again. */
  forget() {
    for (const view of [...this.views.values()]) {
      if (!view.fresh && isTerminal(view.job)) this.views.delete(view.job.job_id);
    }
    this.#changed();
  }

  /** @param {JobView} view */
  unfold(view) {
    view.fresh = true;
    this.#changed();
    this.read(view.job.job_id);
  }

  /** @param {JobView} view */
  fold(view) {
    view.fresh = false;
    if (view.gone) this.views.delete(view.job.job_id);
    this.#changed();
  }
}
