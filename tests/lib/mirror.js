// A client that keeps a copy of the catalogue as the documents tell it to: a list, then the stream from there; back with
// `since` after every break; the change feed where the stream does not reach back; all anew where that does not either.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { transports } from './transports.js';

/** The service is not there, or is going: to be tried again. */
class Gone extends Error {}

/** What a list says of a video, out of an event's payload. */
function row({ changed, from, from_uri: fromUri, ...video }) {
  return video;
}

export class Mirror {
  /** id → video, as in a list */
  videos = new Map();

  /** the last durable event that was handled; null: nothing is known yet */
  since = null;

  counts = { events: 0, connections: 0, recovered: 0, unrecovered: 0, resyncs: 0, beginnings: 0 };

  /**
   * @param {import('./daemon.js').Daemon} daemon may be stopped, killed and launched again at any time
   * @param {{transport?: 'ws' | 'sse' | 'poll', begin?: 'list' | 'changes', query?: string, limit?: number}} [options]
   *   begin: where the first copy comes from; query: more for the stream, e.g. 'topics=library'; limit: of pages.
   */
  constructor(daemon, { transport = 'ws', begin = 'list', query = '', limit = 100 } = {}) {
    Object.assign(this, { daemon, open: transports[transport], from: begin, query, limit });
    this.name = `${transport}, ${begin}${query && `, ${query}`}`;
    this.away = false;
    this.stopped = false;
  }

  /** Follows until stop(); fails with whatever is not as it should be. */
  start() {
    this.done = this.follow();
    this.done.catch((error) => { this.failed = error; });
    return this;
  }

  async stop() {
    this.stopped = true;
    this.stream?.close();
    await this.done;
  }

  /** Breaks the connection; it comes back at once, or, when it is to stay away, with return(). */
  drop(stay = false) {
    this.away = stay;
    this.stream?.close();
  }

  return() {
    this.away = false;
  }

  async follow() {
    while (!this.stopped) {
      try {
        if (!this.away) {
          if (this.since === null) await this.begin();
          await this.listen();
        }
      } catch (error) {
        if (!(error instanceof Gone)) throw error;
      }
      await sleep(5);
    }
  }

  /** One GET; Gone when nobody answers, or the service is being stopped. */
  async ask(route) {
    let answer;
    try {
      answer = await this.daemon.get(route);
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      throw new Gone(error.message);
    }
    if (answer.status === 503) throw new Gone(answer.body.code);
    return answer;
  }

  async begin() {
    this.counts.beginnings++;
    this.videos.clear();
    if (this.from === 'changes') {
      await this.catchUp();
      return;
    }
    let first = null;
    for (let cursor = ''; cursor !== null;) {
      const { status, body } = await this.ask(`/api/v1/videos?limit=${this.limit}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      assert.equal(status, 200, JSON.stringify(body));
      first ??= body.event_id;
      for (const video of body.videos) this.videos.set(video.id, video);
      cursor = body.next_cursor;
    }
    this.since = first;
  }

  /** Reads the change feed to its end. */
  async catchUp() {
    for (let more = true; more;) {
      const { status, body } = await this.ask(`/api/v1/changes?limit=${this.limit}${this.since === null ? '' : `&since=${this.since}`}`);
      if (status === 410) {
        assert.equal(body.code, 'RESYNC');
        this.counts.resyncs++;
        this.since = null;
        throw new Gone('everything anew');
      }
      assert.equal(status, 200, JSON.stringify(body));
      for (const { id, video } of body.changes) this.put(id, video);
      this.since = body.next;
      more = body.more;
    }
  }

  put(id, video) {
    if (video === null || video.missing_since !== null) this.videos.delete(id);
    else this.videos.set(id, video);
  }

  /** Takes the stream from `since` until it ends. */
  async listen() {
    const stream = await this.open(this.daemon, this.since, this.query);
    if (!stream) throw new Gone('no connection');
    this.stream = stream;
    this.counts.connections++;
    try {
      if (this.away || this.stopped) return;
      for (let frame = await stream.next(); frame; frame = await stream.next()) {
        if (frame.type === 'SUBSCRIBED') await this.subscribed(frame.payload.recovered);
        else this.handle(frame);
        this.since = stream.position?.() ?? this.since;
      }
    } finally {
      this.stream = null;
      stream.close();
    }
  }

  async subscribed(recovered) {
    this.counts[recovered ? 'recovered' : 'unrecovered']++;
    if (!recovered) await this.catchUp();
  }

  handle(frame) {
    if (frame.event_id === null || frame.type === 'HELLO') return;
    this.counts.events++;
    if (frame.type === 'VIDEO_REMOVED') this.put(frame.payload.id, null);
    else if (frame.type.startsWith('VIDEO_')) this.put(frame.payload.id, row(frame.payload));
    this.since = frame.event_id;
  }
}

/** The whole catalogue, row by row, as a Map like Mirror.videos. */
export async function catalogue(daemon) {
  const mirror = new Mirror(daemon, { limit: 1000 });
  await mirror.begin();
  return mirror.videos;
}

/** Fails with the first row in which the two differ. */
export function sameRows(copy, real, what) {
  for (const [id, video] of real) {
    assert.ok(copy.has(id), `${what}: it does not know ${video.path} (${id})`);
    assert.deepEqual(copy.get(id), video, what);
  }
  for (const [id, video] of copy) assert.ok(real.has(id), `${what}: it still has ${video.path} (${id})`);
}
