// What no well-behaved HTTP client would send, over a plain TCP socket.
import net from 'node:net';
import { checkProblem } from '../lib/documents.js';

export class Raw {
  static async open(port) {
    const raw = new Raw();
    raw.text = '';
    raw.closed = false;
    raw.waiters = new Set();
    raw.socket = net.connect(port, '127.0.0.1');
    raw.socket.setEncoding('latin1');
    const wake = () => { for (const waiter of raw.waiters) waiter(); };
    raw.socket.on('data', (chunk) => { raw.text += chunk; wake(); });
    raw.socket.on('error', (error) => { raw.error = error; });
    raw.socket.on('close', () => { raw.closed = true; wake(); });
    raw.socket.on('end', () => { raw.ended = true; wake(); });
    await new Promise((resolve, reject) => {
      raw.socket.once('connect', resolve);
      raw.socket.once('error', reject);
    });
    return raw;
  }

  send(bytes) {
    if (!this.closed) this.socket.write(bytes, 'latin1');
    return this;
  }

  /** Waits until check(text) holds, or the server closed; fails loudly after `ms`. */
  async until(check, what, ms = 120000) {
    const end = Date.now() + ms;
    while (!check(this.text)) {
      if (this.closed || this.ended) throw new Error(`closed before ${what}: ${JSON.stringify(this.text.slice(0, 300))}`);
      await this.pause(end, what);
    }
    return this.text;
  }

  /** Waits until the server closes its side; gives all that it said. */
  async end(ms = 120000) {
    const limit = Date.now() + ms;
    while (!this.closed && !this.ended) await this.pause(limit, 'the server closes');
    this.socket.destroy();
    return this.text;
  }

  async pause(end, what) {
    const left = end - Date.now();
    if (left <= 0) throw new Error(`not in time: ${what}; so far ${JSON.stringify(this.text.slice(0, 300))}`);
    await new Promise((resolve) => {
      const waiters = this.waiters;
      const timer = setTimeout(done, left);
      function done() {
        clearTimeout(timer);
        waiters.delete(done);
        resolve();
      }
      waiters.add(done);
    });
  }

  destroy() {
    this.socket.destroy();
  }
}

/** Splits what a connection said into its answers: [{status, headers, body}], by Content-Length. */
export function answers(text, heads = 0) {
  const list = [];
  let rest = text;
  while (rest) {
    const end = rest.indexOf('\r\n\r\n');
    if (end < 0) break;
    const lines = rest.slice(0, end).split('\r\n');
    const headers = Object.fromEntries(lines.slice(1).map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }));
    const length = list.length < heads ? 0 : Number(headers['content-length'] ?? 0);
    const body = rest.slice(end + 4, end + 4 + length);
    if (body.length < length) break;
    if (body && headers['content-type'] === 'application/problem+json') checkProblem(JSON.parse(Buffer.from(body, 'latin1').toString()));
    list.push({ status: Number(lines[0].split(' ')[1]), headers, body });
    rest = rest.slice(end + 4 + length);
  }
  return list;
}
