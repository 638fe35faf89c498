// A reader of Server-Sent Events as a browser's EventSource is one (WHATWG HTML §9.2), that shows what it reads.
import http from 'node:http';
import { Frames } from './frames.js';

/** Takes a stream apart: feed(text), which calls message({data, event, id}), comment(text) and retry(ms). */
export class Parser {
  constructor({ message, comment = () => {}, retry = () => {} }) {
    Object.assign(this, { message, comment, retry, rest: '', data: [], event: '', id: '' });
  }

  feed(text) {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop();
    for (const line of lines) this.line(line.replace(/\r$/, ''));
  }

  line(line) {
    if (line === '') {
      if (this.data.length) this.message({ data: this.data.join('\n'), event: this.event, id: this.id });
      this.data = [];
      this.event = '';
      return;
    }
    const [, name, value] = /^([^:]*):? ?(.*)$/s.exec(line);
    if (line.startsWith(':')) this.comment(value);
    else if (name === 'data') this.data.push(value);
    else if (name === 'event') this.event = value;
    else if (name === 'id') this.id = value;
    else if (name === 'retry') this.retry(Number(value));
    else throw new Error(`an unknown field: ${line}`);
  }
}

export class EventStream extends Frames {
  /**
   * @param {import('./daemon.js').Daemon} daemon may be launched again: the stream finds it
   * @param {{query?: string, lastEventId?: string, reconnect?: boolean, retryMs?: number, headers?: object}} [options]
   *   reconnect: come back as an EventSource does, after retryMs (default: what the stream says), with Last-Event-ID.
   */
  static async open(daemon, options = {}) {
    const stream = new EventStream();
    Object.assign(stream, { daemon, query: '', lastEventId: '', reconnect: false, headers: {}, ...options });
    Object.assign(stream, { comments: [], messages: [], ids: [], connections: 0, retrySaid: null });
    await new Promise((resolve, reject) => {
      stream.opened = resolve;
      stream.refused = reject;
      stream.connect();
    });
    return stream;
  }

  connect() {
    const headers = { accept: 'text/event-stream', ...this.headers };
    if (this.lastEventId) headers['last-event-id'] = this.lastEventId;
    this.request = http.get(`${this.daemon.url}/api/v1/events${this.query && `?${this.query}`}`, { headers, agent: false });
    this.request.on('response', (response) => this.read(response));
    this.request.on('error', (error) => this.broken(error));
  }

  read(response) {
    this.response = response;
    this.socket = response.socket;
    this.status = response.statusCode;
    this.answerHeaders = response.headers;
    if (response.statusCode !== 200) {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => { text += chunk; }).on('error', () => {});
      response.on('end', () => this.fail(Object.assign(new Error(`${response.statusCode} ${text}`), { status: response.statusCode })));
      return;
    }
    this.connections++;
    const parser = new Parser({
      comment: (text) => { this.comments.push(text); this.wake(); },
      retry: (ms) => { this.retrySaid = ms; },
      message: (message) => this.dispatch(message),
    });
    parser.id = this.lastEventId;
    response.setEncoding('utf8').on('data', (chunk) => parser.feed(chunk));
    response.on('error', () => {});
    response.on('close', () => this.broken(new Error('the stream ended')));
    this.opened();
  }

  dispatch({ data, event, id }) {
    if (event) throw new Error(`a message with an event name: ${event}`);
    const frame = JSON.parse(data);
    this.lastEventId = id;
    this.ids.push(id);
    this.hear(frame);
  }

  /** What an EventSource does when its connection ends, or none comes. */
  broken(error) {
    if (this.over !== undefined) return;
    if (!this.reconnect) return this.fail(error);
    this.timer = setTimeout(() => this.connect(), this.retryMs ?? this.retrySaid ?? 1000);
    this.wake();
  }

  fail(error) {
    this.refused(error);
    this.end(error.message);
  }

  /** Breaks the connection as a bad network would; with `reconnect` the stream comes back. */
  drop() {
    this.response?.destroy();
    this.request.destroy();
  }

  close() {
    this.end('closed');
    clearTimeout(this.timer);
    this.drop();
  }
}
