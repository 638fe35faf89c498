// The three ways to the one stream, behind one face: open(daemon, since, query) → {next, close, position?}. next() gives the next
// frame, SUBSCRIBED among them, or null at the end; open gives null when nobody takes the call. position(), where there is one,
// is the since that covers every frame given so far.
import assert from 'node:assert/strict';
import { checkAnswer } from './documents.js';
import { EventStream } from './sse.js';

const args = (...all) => all.filter(Boolean).join('&');

async function ws(daemon, since, query) {
  const channel = await daemon.channel(`?${args(`since=${since}`, query)}`).catch((error) => {
    if (/response: (?!503)/.test(error.message)) throw error;
    return null;
  });
  return channel && { next: () => channel.next(), close: () => channel.socket.terminate() };
}

async function sse(daemon, since, query) {
  const stream = await EventStream.open(daemon, { query, lastEventId: since }).catch((error) => {
    if (error.status && error.status !== 503) throw error;
    return null;
  });
  return stream && { next: () => stream.next(), close: () => stream.close() };
}

class Poll {
  constructor(daemon, since, query) {
    Object.assign(this, { daemon, since, query, events: [], abort: new AbortController(), asked: false });
  }

  async next() {
    while (this.events.length === 0) {
      const answer = await this.ask();
      if (!answer) return null;
      const told = this.asked && answer.recovered;
      Object.assign(this, { asked: true, since: answer.next, events: answer.events });
      if (!told) this.events.unshift({ type: 'SUBSCRIBED', event_id: null, payload: { recovered: answer.recovered } });
    }
    return this.events.shift();
  }

  /** One answer; null when the service is gone. */
  async ask() {
    const url = `/api/v1/events?${args(`since=${this.since}`, 'wait_s=10', this.query)}`;
    const answer = await fetch(this.daemon.url + url, { signal: this.abort.signal })
      .then(async (said) => ({ status: said.status, type: said.headers.get('content-type'), body: await said.json() }))
      .catch(() => null);
    if (!answer) return null;
    checkAnswer({ method: 'GET', url, ...answer });
    assert.ok([200, 503].includes(answer.status), JSON.stringify(answer.body));
    return answer.status === 200 ? answer.body : null;
  }

  position() {
    return this.events.length === 0 ? this.since : null;
  }

  close() {
    this.abort.abort();
  }
}

export const transports = { ws, sse, poll: async (daemon, since, query) => new Poll(daemon, since, query) };
