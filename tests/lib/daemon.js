// Starts the real daemon for a test and talks to it: REST by fetch, the channel by ws.
import { spawn, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { fileURLToPath } from 'node:url';
import WebSocket from 'ws';
import { checkAnswer, checkClose } from './documents.js';
import { Frames, checked } from './frames.js';

export const top = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
export const build = process.env.REELD_BUILD ?? path.join(top, 'build/dev');
export const sanitized = /(asan|tsan)$/.test(build);
/** A promise of the contract in ms, as it can be held to beside other tests: late, but not never. */
export const promised = (ms) => ms * (sanitized ? 5 : 2);

/** Real media: $REELD_CORPUS, or a checkout's neighbour, or null (then tests generate their own). */
export function corpusDir() {
  const candidates = [process.env.REELD_CORPUS, path.join(top, '../shared/corpus')];
  return candidates.find((dir) => dir && fs.existsSync(dir)) ?? null;
}

/** A fresh directory, removed by cleanup(). */
export function tempDir(prefix = 'reeld-test-') {
  return fs.mkdtempSync(path.join(os.tmpdir(), prefix));
}

/** Waits until check() gives something true; polls, and fails loudly after `ms`. */
export async function eventually(check, what, ms = 120000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await check();
    if (value) return value;
    if (Date.now() > end) throw new Error(`not within ${ms} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Daemons that a failed test left behind are ended with its file, or the runner would wait for them for ever. */
const alive = new Set();
if (checked) {
  const { after } = await import('node:test');
  after(() => {
    for (const child of alive) child.kill('SIGKILL');
  });
}

export class Daemon {
  /**
   * @param {{args?: string[], env?: Record<string, string>, dir?: string, wrap?: string[], program?: string}} [options]
   *   dir: where its catalogue and pictures live (default: a fresh one); wrap: a command to run it under; program: another reeld.
   */
  static async start(options = {}) {
    const daemon = new Daemon();
    daemon.options = options;
    daemon.ownsDir = !options.dir;
    daemon.dir = options.dir ?? tempDir();
    await daemon.launch();
    return daemon;
  }

  async launch() {
    const argv = [
      ...(this.options.wrap ?? []), this.options.program ?? path.join(build, 'reeld'),
      '--listen', '127.0.0.1', '--port', '0', '--database', path.join(this.dir, 'catalog.db'),
      '--data', path.join(this.dir, 'data'),
      '--thumbnails', 'no', '--watch', 'off', // a test of pictures, or of watching, says otherwise
      ...(this.options.args ?? []),
    ];
    this.stderr = '';
    this.process = spawn(argv[0], argv.slice(1), {
      env: { ...process.env, ...(this.options.env ?? {}) }, stdio: ['ignore', 'pipe', 'pipe'],
    });
    alive.add(this.process);
    this.exited = once(this.process, 'exit').finally(() => alive.delete(this.process));
    this.process.stderr.on('data', (chunk) => {
      this.stderr = (this.stderr + chunk).slice(-1 << 20);
      if (process.env.REELD_TEST_VERBOSE) process.stderr.write(chunk);
    });
    const lines = readline.createInterface({ input: this.process.stdout });
    const first = await Promise.race([
      once(lines, 'line').then(([line]) => line),
      this.exited.then(([code, signal]) => {
        throw new Error(`the daemon ended before it was ready (${code ?? signal}):\n${this.stderr}`);
      }),
    ]);
    const match = /^reeld \S+ ready at (http:\/\/\S+?)\/$/.exec(first);
    if (!match) throw new Error(`unexpected first line: ${first}`);
    this.url = match[1];
    this.port = Number(new URL(this.url).port);
    // What it said of itself before that line is in its other pipe: it is read when this turn of the loop is over.
    await new Promise((resolve) => { setImmediate(resolve); });
  }

  /**
   * One REST call: {status, headers, body} with the body parsed where it is JSON; as the document says, or it fails.
   * What took the catalogue too long on a busy machine is asked again, as the answer says.
   */
  async request(method, route, body, headers = {}) {
    const end = Date.now() + 60000;
    for (;;) {
      const result = await this.ask(method, route, body, headers);
      if (result.status !== 503 || result.body.code !== 'OVER_BUDGET' || Date.now() > end) return result;
    }
  }

  async ask(method, route, body, headers) {
    const answer = await fetch(this.url + route, {
      method, body: body === undefined ? undefined : JSON.stringify(body),
      headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    }).catch((error) => {
      error.message = `${method} ${route}: ${error.message}: ${error.cause?.message}`;
      throw error;
    });
    const text = await answer.text();
    const type = answer.headers.get('content-type') ?? '';
    const result = { status: answer.status, headers: answer.headers, body: /json/.test(type) && text ? JSON.parse(text) : text };
    if (checked) checkAnswer({ method, url: route, status: answer.status, type, body: result.body });
    return result;
  }

  get(route, headers) {
    return this.request('GET', route, undefined, headers);
  }

  post(route, body, headers) {
    return this.request('POST', route, body, headers);
  }

  /** Starts a scan; gives the job id. */
  async scan(folder, more = {}) {
    const answer = await this.post('/api/v1/videos/scan', { path: folder, ...more });
    if (answer.status !== 202) throw new Error(`scan: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body.job_id;
  }

  /** Waits for a job by long poll; gives its terminal object. */
  async wait(id, seconds = 600) {
    const end = Date.now() + seconds * 1000;
    for (;;) {
      const answer = await this.get(`/api/v1/jobs/${id}/wait?timeout_s=10`);
      if (answer.status === 200) return answer.body;
      if (answer.status !== 408 || Date.now() > end) {
        throw new Error(`wait: ${answer.status} ${JSON.stringify(answer.body)}`);
      }
    }
  }

  /** Until the stream has what the catalogue has: the end of a job can be read before it is said. */
  async told() {
    const number = (id) => Number(id.split(':')[1]);
    const { body: { event_id: known } } = await this.get('/api/v1/jobs?limit=1');
    await eventually(async () => number((await this.get('/api/v1/events?wait_s=0')).body.next) >= number(known), 'all is said');
  }

  /** Every video of the catalogue, page by page. */
  async videos() {
    const all = [];
    for (;;) {
      const { body } = await this.get(`/api/v1/videos?limit=500&offset=${all.length}`);
      all.push(...body.videos);
      if (body.videos.length === 0 || all.length >= body.total) return all;
    }
  }

  /** A channel client whose frames are kept in `frames`; see Channel. */
  channel(query = '', options = {}) {
    return Channel.open(`${this.url.replace('http', 'ws')}/ws${query}`, options);
  }

  /** Processor time it has used so far, in hundredths of a second. */
  processorTime() {
    const fields = fs.readFileSync(`/proc/${this.process.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  }

  async stop(signal = 'SIGTERM') {
    if (this.process.exitCode === null && this.process.signalCode === null) this.process.kill(signal);
    const [code, killedBy] = await this.exited;
    return { code, signal: killedBy, stderr: this.stderr };
  }

  /** Stops it and removes what it wrote; fails when it did not end cleanly. */
  async cleanup() {
    const { code, signal, stderr } = await this.stop();
    if (this.ownsDir) fs.rmSync(this.dir, { recursive: true, force: true });
    if (code !== 0 && signal !== 'SIGKILL') throw new Error(`the daemon ended with ${code ?? signal}:\n${stderr}`);
  }
}

export class Channel extends Frames {
  static async open(url, options = {}) {
    const channel = new Channel();
    channel.socket = new WebSocket(url, options.protocols ?? [], options);
    channel.closed = new Promise((resolve) => {
      channel.socket.on('close', (code, reason) => {
        channel.code = code;
        if (checked) checkClose(code);
        channel.end(`the channel closed, ${code}`);
        resolve({ code, reason: String(reason) });
      });
    });
    channel.socket.on('message', (data) => {
      const frame = JSON.parse(String(data));
      channel.hear(frame);
      frame.received_ms = Date.now();
    });
    channel.socket.on('error', (error) => { channel.error = error; });
    if (options.waitOpen !== false) {
      await Promise.race([
        once(channel.socket, 'open'),
        channel.closed.then(() => { throw channel.error ?? new Error(`closed ${channel.code}`); }),
      ]);
    }
    return channel;
  }

  send(object) {
    this.socket.send(typeof object === 'string' ? object : JSON.stringify(object));
  }

  async close() {
    this.socket.close();
    return this.closed;
  }
}

/** Makes a short real video with ffmpeg; the extension picks the container. */
export function makeVideo(file, { size = '320x180', seconds = 1, rate = 25, extra = [] } = {}) {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', '-f', 'lavfi', '-i',
    `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`, '-f', 'lavfi', '-i',
    `sine=frequency=440:duration=${seconds}`, '-shortest', ...extra, file]);
  return file;
}
