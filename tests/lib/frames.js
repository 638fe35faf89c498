// What a client of the channel has heard, whichever way it came.
import { checkFrame } from './documents.js';

/** A test holds what the server says against its documents; a measurement has no time for it. */
export const checked = Boolean(process.env.NODE_TEST_CONTEXT);

/** Clients that a failed test left behind are closed with its file, or the runner would wait for them for ever. */
const open = new Set();
if (checked) {
  const { after } = await import('node:test');
  after(() => {
    for (const one of open) one.close();
  });
}

export class Frames {
  frames = [];

  waiters = new Set();

  given = 0;

  /** Why nothing more comes; undefined while something may. */
  over = undefined;

  constructor() {
    open.add(this);
  }

  hear(frame) {
    if (checked) checkFrame(frame);
    this.frames.push(frame);
    this.wake();
  }

  end(why) {
    open.delete(this);
    this.over ??= why;
    this.wake();
  }

  wake() {
    for (const waiter of this.waiters) waiter();
  }

  /** The first frame, now or later, for which match(frame) holds. */
  async find(match, what = String(match), ms = 120000) {
    const test = typeof match === 'string' ? (frame) => frame.type === match : match;
    let at = 0;
    await this.until(() => {
      while (at < this.frames.length && !test(this.frames[at])) at++;
      return at < this.frames.length;
    }, what, ms);
    return this.frames[at];
  }

  /** The next frame, and the one behind it at the next call; null at the end. Forgets what it gave: not to be mixed with
   *  find(). */
  async next() {
    while (this.given === this.frames.length) {
      this.frames.length = this.given = 0;
      if (this.over !== undefined) return null;
      await this.news();
    }
    return this.frames[this.given++];
  }

  /** Waits until check() holds; it is asked again whenever something came. */
  async until(check, what, ms = 120000) {
    const end = Date.now() + ms;
    while (!check()) {
      if (this.over !== undefined) throw new Error(`over (${this.over}) before: ${what}`);
      if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
      await this.news(end - Date.now());
    }
  }

  /** Waits until something comes, or for `ms`. */
  news(ms) {
    return new Promise((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(done, Math.max(ms, 1));
      const { waiters } = this;
      function done() {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      }
      waiters.add(done);
    });
  }
}
