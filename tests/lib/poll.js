// A client of the long poll: follows `next`.
import { checkAnswer } from './documents.js';
import { Frames, checked } from './frames.js';

export class Poller extends Frames {
  /**
   * @param {import('./daemon.js').Daemon} daemon may be launched again: the poller finds it
   * @param {{query?: string, since?: string, waitS?: number, limit?: number, patient?: boolean}} [options]
   *   patient: goes on when nobody answers.
   */
  static async open(daemon, options = {}) {
    const poller = new Poller();
    Object.assign(poller, { daemon, query: '', since: null, waitS: 30, limit: 500, patient: false, ...options });
    Object.assign(poller, { position: null, answers: 0, missed: 0, abort: new AbortController() });
    const first = await poller.ask(0);
    poller.done = poller.follow(first);
    return poller;
  }

  async ask(waitS) {
    const since = this.position ?? this.since;
    const args = [`wait_s=${waitS}`, `limit=${this.limit}`, since && `since=${since}`, this.query].filter(Boolean).join('&');
    const url = `/api/v1/events?${args}`;
    const answer = await fetch(this.daemon.url + url, { signal: this.abort.signal });
    const { status, headers } = answer;
    const body = await answer.json();
    if (checked) checkAnswer({ method: 'GET', url, status, type: headers.get('content-type'), body });
    return { status, body };
  }

  take({ status, body }) {
    if (status === 503) throw new Error(body.code);
    if (status !== 200) throw Object.assign(new Error(`${status} ${JSON.stringify(body)}`), { status });
    this.answers++;
    if (!body.recovered) this.missed++;
    this.position = body.next;
    this.frames.push(...body.events);
    this.wake();
  }

  async follow(first) {
    for (let answer = first; this.over === undefined; answer = null) {
      try {
        this.take(answer ?? await this.ask(this.waitS));
      } catch (error) {
        if (!this.patient || error.status || error.name === 'AssertionError') {
          this.end(error.message);
          if (error.name === 'AssertionError') this.failed = error;
        } else {
          await new Promise((resolve) => { setTimeout(resolve, 20); });
        }
      }
    }
  }

  async close() {
    this.end('closed');
    this.abort.abort();
    await this.done;
  }
}
