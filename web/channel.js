/** The way by which news reaches the page: opens the best of three, and goes on where the one before stopped. web/README.md tells its modes and events. */

import { ApiError, catchUp, FrameEvent, openPoll, openSocket, openStream } from './server.js';

/** Best first. @type {Way[]} */
const WAYS = [
  { mode: 'live', open: openSocket, beats: true },
  { mode: 'streaming', open: openStream, beats: true },
  { mode: 'polling', open: openPoll, beats: false },
];

const GREETING_MS = 6000;
/* After every way failed; after those above the one in use did. */
const RETRY_MS = [500, 1000, 2000, 4000, 8000];
const CLIMB_MS = [1000, 3000, 10000, 30000, 60000];
/* A line that ended so soon did not last. */
const SHORT_MS = 5000;
/* How long a line has to answer when it is asked for a sign of life. */
const PROBE_MS = 4000;
const TICK_MS = 1000;
/* A tick that comes so late says that the page, or the machine, was asleep. */
const ASLEEP_MS = 5000;
const READ_BUSY_MS = 1000;
const READ_IDLE_MS = 3000;
/* Also beside a line, so that no lost or unknown word can leave the page waiting. */
const CHECK_BUSY_MS = 5000;
const CHECK_IDLE_MS = 60000;
/* Frames kept while the change feed is read. */
const HELD_MAX = 20000;

export class Channel extends EventTarget {
  /** @type {Mode} */
  mode = 'connecting';
  /** Where to go on: covers everything that was handled. @type {string | null} */
  since = null;

  /** @type {Line | null} */
  #line = null;
  /** @type {Way | null} */
  #way = null;
  /** The point from which #line told everything. @type {string | null} */
  #here = null;
  #heard = 0;
  /** When #line must have answered a probe. @type {number | null} */
  #probeBy = null;
  #heartbeat = 15000;
  /** What came while the change feed is read. @type {[Frame, string | null][] | null} */
  #held = null;
  /** Durable events that #line told while another is being opened, which will tell them too. @type {Set<string> | null} */
  #told = null;
  /** Those of them that #line, once it was that other, is still to tell. @type {Set<string> | null} */
  #twice = null;
  #climbing = false;
  #failed = 0;
  /** When #line was taken into use, and how many before it did not last. */
  #taken = 0;
  #short = 0;
  #ticked = Date.now();
  #reading = false;
  #again = false;
  #lastRead = 0;
  /** @type {Timer} */
  #climbTimer;

  /**
   * @param {Api} api
   * @param {() => Promise<void>} refresh reads everything that is shown over REST; throws when it can't
   * @param {() => boolean} busy whether a job is going on
   */
  constructor(api, refresh, busy) {
    super();
    this.api = api;
    this.refresh = refresh;
    this.busy = busy;
  }

  start() {
    this.#climb();
    this.#read();
    setInterval(() => this.#tick(), TICK_MS);
    addEventListener('online', () => this.retry());
    addEventListener('pageshow', ({ persisted }) => persisted && this.retry());
    document.addEventListener('resume', () => this.retry());
    document.addEventListener('visibilitychange', () => !document.hidden && this.retry());
  }

  /** Finds out now, not later, whether the server is there. */
  retry() {
    if (this.#line) return this.#probe();
    this.#failed = 0;
    this.#climb();
    this.readSoon();
  }

  /** Reads the state over REST now (or once more, when that is going on). */
  readSoon() {
    if (this.#reading) this.#again = true;
    else this.#read();
  }

  /** @param {Mode} mode */
  #set(mode) {
    if (this.mode === mode) return;
    this.mode = mode;
    this.dispatchEvent(new Event('mode'));
  }

  // ---- the ways ---------------------------------------------------------------------------------

  /** Tries the ways above the present one, the best first, until one works. */
  async #climb() {
    if (this.#climbing) return;
    clearTimeout(this.#climbTimer);
    this.#climbing = true;
    let found = false;
    for (const way of WAYS) {
      if (way === this.#way || found) break;
      found = await this.#try(way);
      if (this.mode === 'locked') break;
    }
    this.#climbing = false;
    this.#failed = found ? 0 : this.#failed + 1;
    if (this.mode === 'locked' || this.#way === WAYS[0]) return;
    this.#climbLater(this.#line ? CLIMB_MS : RETRY_MS, this.#failed);
    if (!this.#line) this.readSoon();
  }

  /** @param {number[]} waits @param {number} times it did not work */
  #climbLater(waits, times) {
    const wait = waits[Math.min(Math.max(times - 1, 0), waits.length - 1)] * (0.8 + 0.4 * Math.random());
    clearTimeout(this.#climbTimer);
    this.#climbTimer = setTimeout(() => this.#climb(), wait);
  }

  /** Opens one; true when it works, and is in use from then on. @param {Way} way @returns {Promise<boolean>} */
  #try(way) {
    const asked = this.since;
    this.#told = this.#line && new Set();
    return new Promise((resolve) => {
      const give = (/** @type {boolean} */ works) => {
        clearTimeout(timer);
        this.#told = null;
        resolve(works);
      };
      const take = () => {
        if (this.#line === line) return;
        this.#adopt(way, line);
        give(true);
      };
      const line = way.open(asked, {
        alive: () => {
          if (this.#line === line) this.#alive();
        },
        frame: (frame, raw) => {
          if (frame.type === 'HELLO') this.#hello(frame, asked);
          if (frame.type === 'HELLO' || !way.beats) take();
          if (this.#line !== line) return;
          if (frame.type === 'SUBSCRIBED' && frame.payload.recovered === false) this.#gap(line, this.#here);
          this.#hear(frame, raw);
        },
        answered: (next, recovered) => {
          take();
          if (!recovered) this.#gap(line, next);
          else if (!this.#held) this.since = next;
        },
        ended: (status) => {
          if (status === 400 && asked !== null) this.#beginAnew(null); // it makes nothing of it; another server
          if (status === 401) this.#lock();
          if (this.#line === line) this.#lost();
          give(false);
        },
      });
      const timer = setTimeout(() => {
        line.close();
        give(false);
      }, GREETING_MS);
    });
  }

  /** @param {Way} way @param {Line} line */
  #adopt(way, line) {
    this.#line?.close();
    this.#line = line;
    this.#way = way;
    this.#held = null;
    this.#twice = this.#told;
    this.#told = null;
    this.#taken = Date.now();
    this.#alive();
    this.#set(way.mode);
    this.readSoon();
  }

  #alive() {
    this.#heard = Date.now();
    this.#probeBy = null;
  }

  #lost() {
    this.#line?.close();
    this.#line = null;
    this.#way = null;
    this.#held = null;
    this.#probeBy = null;
    if (this.mode !== 'locked') this.#set('reconnecting');
    this.#failed = 0;
    this.#short = Date.now() - this.#taken < SHORT_MS ? this.#short + 1 : 0;
    if (this.#short > 1) this.#climbLater(RETRY_MS, this.#short); // what never lasts is not taken up again at once
    else this.#climb();
  }

  #lock() {
    this.#set('locked');
    this.readSoon(); // which asks for the token
  }

  /** Reads when it is time to. A line that stays silent for longer than its heartbeat allows is not live, whatever it says. */
  #tick() {
    const now = Date.now();
    const slept = now - this.#ticked > ASLEEP_MS;
    this.#ticked = now;
    if (!this.#reading && now - this.#lastRead >= this.#readEvery()) this.#read();
    if (slept) return this.retry(); // what came meanwhile is still to be handled
    const silent = this.#way?.beats && now - this.#heard > 2 * this.#heartbeat + 2000;
    if (this.#line && (this.#probeBy !== null ? now > this.#probeBy : silent)) this.#lost();
  }

  #probe() {
    if (!this.#line || this.#probeBy !== null) return;
    if (this.#line.probe()) this.#probeBy = Date.now() + PROBE_MS;
    else if (Date.now() - this.#heard > this.#heartbeat + 2000) this.#lost();
    if (this.#way !== WAYS[0]) {
      this.#failed = 0;
      this.#climb();
    }
  }

  // ---- what they tell ---------------------------------------------------------------------------

  /** @param {Frame} hello @param {string | null} asked */
  #hello({ payload }, asked) {
    this.#heartbeat = Math.max(Number(payload.heartbeat_ms) || 15000, 1000);
    this.#here = typeof payload.event_id === 'string' ? payload.event_id : null;
    if (asked === null) this.since = this.#here;
  }

  /** @param {Frame} frame @param {string | null} raw */
  #hear(frame, raw) {
    const id = frame.event_id;
    if (id !== null && this.#twice?.delete(id)) return;
    if (this.#held) {
      if (this.#held.length < HELD_MAX) this.#held.push([frame, raw]);
      return;
    }
    if (id !== null) {
      this.#told?.add(id);
      this.since = id;
    }
    this.dispatchEvent(new FrameEvent(frame, raw));
  }

  /** The line does not reach back to where the page was. @param {Line} line @param {string | null} here */
  async #gap(line, here) {
    const from = this.since;
    const held = (this.#held = /** @type {[Frame, string | null][]} */ ([]));
    const stays = () => this.#line === line && this.#held === held;
    try {
      const caught = from !== null && (await catchUp(this.api, from, (changes, next) => {
        if (!stays()) return false;
        this.since = next;
        this.dispatchEvent(new CustomEvent('changes', { detail: changes }));
        return true;
      }));
      if (!stays()) return;
      this.#held = null;
      if (!caught || held.length === HELD_MAX) this.#beginAnew(here);
      for (const [frame, raw] of held) this.#hear(frame, raw);
      this.readSoon();
    } catch {
      if (stays()) this.#lost();
    }
  }

  /** What was known tells nothing any more. @param {string | null} since */
  #beginAnew(since) {
    this.since = since;
    this.dispatchEvent(new Event('resync'));
  }

  // ---- reading ----------------------------------------------------------------------------------

  #readEvery() {
    const busy = this.busy();
    return this.#line ? (busy ? CHECK_BUSY_MS : CHECK_IDLE_MS) : busy ? READ_BUSY_MS : READ_IDLE_MS;
  }

  async #read() {
    this.#reading = true;
    do {
      this.#again = false;
      try {
        await this.refresh();
        if (this.mode === 'locked') {
          this.#set(this.#way?.mode ?? 'reconnecting');
          this.#failed = 0;
          this.#climb();
        } else if (!this.#line && this.#failed > 0) {
          this.#set('reading');
        }
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) this.#set('locked');
        else if (!this.#line && this.mode !== 'locked') this.#set('reconnecting');
      }
    } while (this.#again);
    this.#reading = false;
    this.#lastRead = Date.now();
  }
}
