/** Every way to the server: REST, and the three by which frames come (WebSocket, Server-Sent Events, long poll). */

import { sentence } from './format.js';

const TIMEOUT_MS = 15000;

export class ApiError extends Error {
  /** @param {number} status @param {{ code?: string, detail?: string } | null} problem */
  constructor(status, problem) {
    super(problem?.detail ? sentence(problem.detail) : `The server answered ${status}.`);
    this.status = status;
    this.code = problem?.code ?? '';
  }
}

/** @param {Response} answer */
async function problemOf(answer) {
  try {
    return await answer.json();
  } catch {
    return null; // not a problem document; the status says enough
  }
}

/** A path, always percent-encoded: a line break in the query would be taken for the end of the request line. @param {Place} place */
const uriOf = ({ path, path_uri }) => path_uri ?? encodeURIComponent(path).replaceAll('%2F', '/');

/** @param {unknown} body @returns {RequestInit} */
const posted = (body) => ({
  method: 'POST', ...(body !== undefined && { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }),
});

/** Requests below /api/v1. What they give is the parsed answer; they throw ApiError, or TypeError or DOMException where there was none. */
export class Requests {
  /** @type {Promise<boolean> | null} */
  #asking = null;
  #refused = false;

  /**
   * @param {(why: string) => Promise<string | null>} askToken asks a person; null: no token given
   * @param {() => void} onLock called when no token was given: nothing can be read
   */
  constructor(askToken, onLock) {
    this.askToken = askToken;
    this.onLock = onLock;
  }

  /** @param {string} route @param {Query} [query] @param {AbortSignal} [signal] @returns {Promise<any>} */
  get(route, query = {}, signal) {
    const search = new URLSearchParams();
    for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
    const asked = String(search);
    return this.#request(asked ? `${route}?${asked}` : route, { signal });
  }

  /** @param {string} route @param {unknown} [body] @returns {Promise<any>} */
  post(route, body) {
    return this.#request(route, posted(body));
  }

  /** @param {string} route @param {RequestInit} how */
  async #request(route, how) {
    let answer = await this.#fetch(route, how);
    if (answer.status === 401 && (await this.#authorise())) answer = await this.#fetch(route, how);
    if (!answer.ok) throw new ApiError(answer.status, await problemOf(answer));
    return answer.status === 204 ? null : answer.json();
  }

  /** @param {string} route @param {RequestInit} how */
  #fetch(route, how) {
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    const signal = how.signal && 'any' in AbortSignal ? AbortSignal.any([how.signal, limit]) : how.signal ?? limit;
    return fetch(`/api/v1${route}`, { cache: 'no-store', credentials: 'same-origin', ...how, signal });
  }

  /** Asks for the token once, however many calls were refused; false when none was given. */
  async #authorise() {
    if (this.#refused) return false;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask() {
    let why = '';
    for (;;) {
      const token = await this.askToken(why);
      if (token === null) {
        this.#refused = true;
        this.onLock();
        return false;
      }
      try {
        const answer = await this.#fetch('/session', posted({ token }));
        if (answer.ok) return true;
        why = new ApiError(answer.status, await problemOf(answer)).message;
      } catch {
        why = 'The server did not answer. Try again.';
      }
    }
  }

  /** Lets the next refused call ask again. */
  unlock() {
    this.#refused = false;
  }
}

/** The API, as far as the page uses it. @type {(askToken: (why: string) => Promise<string | null>, onLock: () => void) => Api} */
export function openApi(askToken, onLock) {
  const requests = new Requests(askToken, onLock);
  /** @type {Requests['get']} */
  const get = (route, query, signal) => requests.get(route, query, signal);
  /** @type {Requests['post']} */
  const post = (route, body) => requests.post(route, body);
  const one = encodeURIComponent;
  /** @type {Calls} */
  const calls = {
    scan: (request) => post('/videos/scan', request),
    jobs: (limit, cursor) => get('/jobs', { limit, cursor }),
    job: (id) => get(`/jobs/${one(id)}`),
    cancel: (id) => post(`/jobs/${one(id)}/cancel`),
    pause: (id, paused) => post(`/jobs/${one(id)}/${paused ? 'pause' : 'resume'}`),
    failures: (id, limit, cursor) => get(`/jobs/${one(id)}/failures`, { limit, cursor }),
    videos: (query, signal) => get('/videos', query, signal),
    video: (id, signal) => get(`/videos/${one(id)}`, {}, signal),
    duplicates: (id, signal) => get(`/videos/${one(id)}/duplicates`, {}, signal),
    stats: (filter, signal) => get('/stats', filter, signal),
    explain: (place, signal) => get('/explain', { path_uri: uriOf(place) }, signal),
    roots: () => get('/roots'),
    acceptMissing: (root, token) => post(`/roots/${root}/accept-missing`, { token }),
    changes: (since) => get('/changes', { since, limit: 1000 }),
    directories: (place, offset, limit) => get('/filesystem/directories', { path_uri: place && uriOf(place), offset, limit }),
  };
  return Object.assign(requests, calls);
}

/**
 * The text of a frame as an object; null when it is not one of ours. What such a text may have said,
 * the regular reading over REST covers.
 * @param {unknown} text @returns {Frame | null}
 */
export function parseFrame(text) {
  try {
    return checkFrame(JSON.parse(String(text)));
  } catch {
    return null;
  }
}

/** @param {any} value @returns {Frame | null} */
export function checkFrame(value) {
  if (typeof value?.type !== 'string') return null;
  if (typeof value.payload !== 'object' || value.payload === null) value.payload = {};
  if (typeof value.event_id !== 'string') value.event_id = null;
  return value;
}

/** A frame on its way through the page; `detail` is the frame. */
export class FrameEvent extends Event {
  #raw;

  /** @param {Frame} frame @param {string | null} raw */
  constructor(frame, raw) {
    super('frame');
    this.detail = frame;
    this.#raw = raw;
  }

  get raw() {
    return this.#raw ?? JSON.stringify(this.detail);
  }
}

/* So much has changed that reading what is shown anew is less. */
const PAGES_MAX = 50;

/**
 * Reads the change feed from `since` to its end.
 * @param {Api} api @param {string} since
 * @param {(changes: Change[], next: string) => boolean} tell one page; false: nobody wants more
 * @returns {Promise<boolean>} false: `since` is of another catalogue, or too much changed; all is to be
 *   read anew. Throws when the server does not answer.
 */
export async function catchUp(api, since, tell) {
  let at = since;
  for (let pages = 0; pages < PAGES_MAX; pages++) {
    let page;
    try {
      page = await api.changes(at);
    } catch (error) {
      if (error instanceof ApiError && (error.status === 410 || error.status === 400)) return false;
      throw error;
    }
    at = page.next;
    if (!tell(page.changes, at) || !page.more) return true;
  }
  return false;
}

/** @type {Opener} */
export function openSocket(since, ear) {
  const url = new URL('/ws', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  if (since !== null) url.searchParams.set('since', since);
  const socket = new WebSocket(url);
  socket.onmessage = ({ data }) => {
    ear.alive();
    const frame = parseFrame(data);
    if (frame) ear.frame(frame, data);
  };
  socket.onclose = () => ear.ended(null); // a refused upgrade does not say why
  return {
    close() {
      socket.onmessage = socket.onclose = null;
      socket.close();
    },
    probe() {
      if (socket.readyState === WebSocket.OPEN) socket.send('{"type":"PING"}');
      return true;
    },
  };
}

/** The data of each message of an event stream (WHATWG HTML §9.2.6), as far as reeld makes use of the format: ids are in the frames too, and there are no names. */
export class Messages {
  #rest = '';
  #last = '';
  /** @type {string[]} */
  #data = [];

  /** @param {(data: string) => void} tell */
  constructor(tell) {
    this.tell = tell;
  }

  /** @param {string} text */
  feed(text) {
    // A line end of two characters may be cut in the middle.
    const glued = this.#last === '\r' && text.startsWith('\n') ? text.slice(1) : text;
    this.#last = text.at(-1) ?? this.#last;
    const lines = (this.#rest + glued).split(/\r\n|\n|\r/);
    this.#rest = /** @type {string} */ (lines.pop());
    for (const line of lines) this.#line(line);
  }

  /** @param {string} line */
  #line(line) {
    if (line.startsWith('data:')) {
      this.#data.push(line.charAt(5) === ' ' ? line.slice(6) : line.slice(5));
    } else if (line === '' && this.#data.length > 0) {
      const data = this.#data.join('\n');
      this.#data = [];
      this.tell(data);
    }
  }
}

/** @param {URL} url @param {AbortSignal} signal @param {Ear} ear @returns {Promise<number | null>} a status that is no stream; null: it ended */
async function read(url, signal, ear) {
  try {
    const answer = await fetch(url, { signal, cache: 'no-store', headers: { Accept: 'text/event-stream' } });
    if (!answer.ok || !answer.body) return answer.status;
    const reader = answer.body.getReader();
    const decoder = new TextDecoder();
    const messages = new Messages((data) => {
      const frame = parseFrame(data);
      if (frame && !signal.aborted) ear.frame(frame, data);
    });
    for (;;) {
      const { done, value } = await reader.read();
      if (done || signal.aborted) return null;
      ear.alive();
      messages.feed(decoder.decode(value, { stream: true }));
    }
  } catch {
    return null; // the connection is gone, or was closed from here
  }
}

/** @type {Opener} */
export function openStream(since, ear) {
  const abort = new AbortController();
  const url = new URL('/api/v1/events', location.href);
  if (since !== null) url.searchParams.set('since', since);
  read(url, abort.signal, ear).then((status) => {
    if (!abort.signal.aborted) ear.ended(status);
  });
  return { close: () => abort.abort(), probe: () => false };
}

const WAIT_S = 25;
/* Beyond the time that the server may take. */
const GRACE_MS = 8000;
/* Few enough for one task of the main thread. */
const LIMIT = 200;

/** @type {Opener} */
export function openPoll(since, ear) {
  let closed = false;
  /** @type {AbortController} */
  let asking;
  let probed = false;

  /** @param {string | null} at @param {number} wait_s */
  async function ask(at, wait_s) {
    asking = new AbortController();
    const url = new URL('/api/v1/events', location.href);
    url.searchParams.set('wait_s', String(wait_s));
    url.searchParams.set('limit', String(LIMIT));
    if (at !== null) url.searchParams.set('since', at);
    const limit = setTimeout(() => asking.abort(), wait_s * 1000 + GRACE_MS);
    try {
      return await fetch(url, { signal: asking.signal, cache: 'no-store' })
        .then(async (answer) => ({ status: answer.status, page: answer.ok ? await answer.json() : null }));
    } finally {
      clearTimeout(limit);
    }
  }

  async function run() {
    let at = since;
    let wait_s = 0; // the first answer comes at once, and shows that it works
    for (;;) {
      const answer = await ask(at, wait_s).catch(() => null);
      if (closed) return null;
      if (!answer && probed) {
        probed = false;
        wait_s = 0;
        continue;
      }
      if (!answer?.page) return answer?.status ?? null;
      ear.alive();
      for (const event of answer.page.events) {
        const frame = checkFrame(event);
        if (frame) ear.frame(frame, null);
        if (closed) return null;
      }
      ear.answered(answer.page.next, answer.page.recovered);
      if (closed) return null;
      at = answer.page.next;
      wait_s = WAIT_S;
    }
  }

  run().then((status) => {
    if (!closed) ear.ended(status);
  });
  return {
    close() {
      closed = true;
      asking.abort();
    },
    probe() {
      probed = true;
      asking.abort();
      return true;
    },
  };
}
