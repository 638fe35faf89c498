// One connection of one client to the channel, over WebSocket, Server-Sent Events or long poll: all that it heard, in order.
import http from 'node:http';
import WebSocket from 'ws';
import { checkFrame } from '../documents.js';
import { Parser } from '../sse.js';
import { understand } from './truth.js';

export const EVERYTHING = { topics: ['jobs', 'library'] };

/** A subscription and a point of the stream as the query string says them. */
export function queryOf({ topics, job_id: job, progress_ms: ms }, since) {
  const query = new URLSearchParams();
  if (topics && topics !== EVERYTHING.topics) query.set('topics', topics.join(','));
  if (job) query.set('job_id', job);
  if (ms) query.set('progress_ms', String(ms));
  if (since) query.set('since', since);
  const text = query.toString();
  return text && `?${text}`;
}

export class Connection {
  /**
   * @param {{topics: string[], job_id?: string, progress_ms?: number}} wanted
   * @param {string | null} since
   */
  constructor(name, wanted, since) {
    Object.assign(this, { name, wanted, log: [], waiters: new Set(), stalled: false, everStalled: false });
    this.cameAt = Date.now();
    this.asked = [];
    if (wanted !== EVERYTHING || since) this.asked.push({ wanted, since, askedAt: this.cameAt });
    this.openedWith = this.asked.length;
    this.onEntry = null;
    this.closed = new Promise((resolve) => { this.resolveClosed = resolve; });
  }

  hear(text) {
    const entry = understand(text);
    checkFrame(entry.frame);
    this.log.push(entry);
    this.onEntry?.(entry);
    this.wake();
  }

  end(code, reason = '') {
    if (this.code !== undefined) return;
    this.code = code;
    this.reason = reason;
    this.resolveClosed();
    this.wake();
  }

  wake() {
    for (const waiter of this.waiters) waiter();
  }

  /** Waits for a message, now or later, that matches; null when the connection ended or was stalled before. */
  async until(match) {
    for (let next = 0; ;) {
      for (; next < this.log.length; next++) if (match(this.log[next])) return this.log[next];
      if (this.code !== undefined || this.stalled) return null;
      await new Promise((resolve) => {
        const done = () => {
          this.waiters.delete(done);
          resolve();
        };
        this.waiters.add(done);
      });
    }
  }

  stall() {
    this.stalled = this.everStalled = true;
    this.stream().pause();
    this.wake();
  }

  resume() {
    this.stalled = false;
    this.stream().resume();
  }
}

export class WebSocketConnection extends Connection {
  open(url) {
    this.socket = new WebSocket(`${url.replace('http', 'ws')}/ws${this.openedWith ? queryOf(this.wanted, this.asked[0].since) : ''}`);
    this.socket.on('message', (data) => this.hear(String(data)));
    this.socket.on('error', (error) => { this.error = error; });
    this.socket.on('close', (code, reason) => this.end(code, String(reason)));
    return this;
  }

  stream() {
    return this.socket;
  }

  subscribe(wanted, since) {
    this.wanted = wanted;
    this.asked.push({ wanted, since, askedAt: Date.now() });
    const payload = { ...wanted, ...(since ? { since } : {}) };
    this.socket.send(JSON.stringify({ type: 'SUBSCRIBE', payload }));
  }

  drop(hard) {
    if (hard) this.socket.terminate();
    else this.socket.close();
    if (this.stalled) this.resume(); // the close is read too
  }
}

export class EventStreamConnection extends Connection {
  open(url) {
    const since = this.asked[0]?.since;
    const byHeader = since && this.byHeader;
    const query = this.openedWith ? queryOf(this.wanted, byHeader ? null : since) : '';
    const headers = { accept: 'text/event-stream', ...(byHeader ? { 'last-event-id': since } : {}) };
    this.request = http.get(`${url}/api/v1/events${query}`, { headers, agent: false }, (answer) => {
      if (answer.statusCode !== 200) this.end(answer.statusCode);
      this.answer = answer.setEncoding('utf8');
      if (this.stalled) answer.pause();
      const parser = new Parser({ message: (message) => this.message(message) });
      answer.on('data', (chunk) => parser.feed(chunk));
      answer.on('close', () => this.end(answer.complete ? 'ended' : 'cut'));
    });
    this.request.on('error', (error) => {
      this.error = error;
      this.end('cut');
    });
    return this;
  }

  message({ data, id }) {
    this.hear(data);
    const { frame, sequence } = this.log.at(-1);
    if (sequence && id !== frame.event_id) this.wrong = `id ${id} with ${frame.event_id}`;
  }

  stream() {
    return this.answer ?? { pause() {}, resume() {} };
  }

  drop() {
    this.request.destroy();
    this.end('left');
  }
}

/** Poll after poll, each from where the one before ended: that counts as one connection too. */
export class PollConnection extends Connection {
  polls = true;

  open(url) {
    this.gone = new AbortController();
    this.run(url).catch((error) => {
      this.error = error;
      this.end(error.name === 'AssertionError' ? 'wrong' : 'cut');
    });
    return this;
  }

  async ask(url, since, wait) {
    const query = new URLSearchParams(queryOf(this.wanted, since));
    query.set('wait_s', String(wait));
    query.set('limit', String(this.limit));
    const answer = await fetch(`${url}/api/v1/events?${query}`, { signal: this.gone.signal });
    const body = await answer.json();
    if (!answer.ok) this.end(answer.status);
    return body;
  }

  async run(url) {
    let { next, recovered, events } = await this.ask(url, this.asked[0]?.since ?? null, 0);
    if (this.code !== undefined) return;
    // What the other transports say in a message.
    const timestamp = new Date().toISOString();
    this.asked = [{ wanted: this.wanted, since: this.asked[0]?.since ?? null, askedAt: this.cameAt }];
    const payload = { topics: this.wanted.topics, recovered };
    this.hear(JSON.stringify({ event_id: null, type: 'SUBSCRIBED', timestamp, correlation_id: null, payload }));
    for (;;) {
      for (const event of events) this.hear(JSON.stringify(event));
      while (this.stalled) await new Promise((resolve) => { this.goOn = resolve; });
      ({ next, recovered, events } = await this.ask(url, next, 2));
      if (this.code !== undefined) return;
      if (!recovered) this.end('lost');
    }
  }

  stream() {
    return { pause() {}, resume: () => this.goOn?.() };
  }

  drop() {
    this.gone.abort();
    this.end('left');
    this.goOn?.();
  }
}
