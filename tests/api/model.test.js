// A model-based test of the channel: random scans, removals, cancels, subscriptions, stalls, disconnects, restarts and kills of
// the real daemon, with clients over WebSocket, Server-Sent Events and long poll; on every message the guarantees 1, 2, 4 and 5.
// REELD_SEED gives the same choices again; REELD_MODEL_SECONDS says how long it goes on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { sanitized } from '../lib/daemon.js';
import { checkConnection } from '../lib/model/check.js';
import { EVERYTHING } from '../lib/model/connection.js';
import { changesSince, checkCatalogue, readCatalogue } from '../lib/model/feed.js';
import { Listener, checkEnd } from '../lib/model/listener.js';
import { Truth } from '../lib/model/truth.js';
import { World } from '../lib/model/world.js';
import { random } from '../lib/trees.js';

const seed = Number(process.env.REELD_SEED ?? 20261122);
const seconds = Number(process.env.REELD_MODEL_SECONDS ?? (sanitized ? 45 : 120));
const LISTENERS = ['ws', 'ws', 'ws', 'ws', 'sse', 'sse', 'poll'];
const JOBS_AT_ONCE = 3;

class Model {
  constructor(next) {
    this.next = next;
    this.world = new World(next);
    this.first = new Listener('first', 'ws'); // these two only listen, and keep up
    this.second = new Listener('second', 'ws');
    this.others = LISTENERS.map((transport, i) => new Listener(`listener ${i}`, transport));
    this.actions = [];
    this.counts = { messages: 0, connections: 0, recovered: 0, notRecovered: 0, overtaken: 0, lives: 0 };
    this.first.onEntry = (entry) => this.world.heard(entry);
  }

  note(...words) {
    this.actions.push(words.join(' '));
    if (this.actions.length > 400) this.actions.splice(0, 200);
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  // ---- what may happen ----

  async scan(folder, more = {}) {
    const { world } = this;
    if ([...world.jobs.values()].filter(({ ended }) => !ended).length >= JOBS_AT_ONCE) return null;
    const { status, body } = await world.daemon.post('/api/v1/videos/scan', { path: folder, ...more });
    assert.equal(status, 202, JSON.stringify(body));
    if (!world.jobs.has(body.job_id)) world.jobs.set(body.job_id, { ended: false });
    this.note('scan', folder.slice(-12), body.job_id);
    return body.job_id;
  }

  async remove() {
    const { body } = await this.world.daemon.get('/api/v1/videos?limit=200');
    const video = this.pick(body.videos);
    if (!video) return null;
    const { status } = await this.world.daemon.request('DELETE', `/api/v1/videos/${video.id}`);
    assert.ok([204, 404].includes(status), `${status}`);
    this.note('delete', video.id);
    return status === 204 ? video.id : null;
  }

  async cancel() {
    const id = this.pick([...this.world.jobs.keys()].slice(-3));
    if (!id) return;
    const { status } = await this.world.daemon.post(`/api/v1/jobs/${id}/cancel`);
    assert.ok([202, 200, 409].includes(status), `cancel: ${status}`);
    this.note('cancel', id, status);
  }

  wanted() {
    const topics = this.pick([['jobs', 'library'], ['jobs', 'library'], ['jobs'], ['library']]);
    const job = topics.includes('jobs') && this.next() < 0.2 ? this.pick([...this.world.jobs.keys()].slice(-4)) : undefined;
    const ms = this.next() < 0.25 ? this.pick([1, 5, 20, 100, 1000]) : undefined;
    return { topics, ...(job ? { job_id: job } : {}), ...(ms ? { progress_ms: ms } : {}) };
  }

  /** Mostly the last event that the client has; also older ones, and ones that never were. */
  since(listener) {
    const { catalogue, start } = this.world.life;
    const kind = this.next();
    const back = this.below(60);
    if (kind < 0.6) return listener.last;
    if (kind < 0.7) return `${catalogue}:${Math.max(start, this.world.life.heard() - back)}`;
    if (kind < 0.8) return `${catalogue}:${Math.max(0, this.world.highest - back)}`;
    if (kind < 0.85) return `${catalogue}:1000000000000`;
    if (kind < 0.9) return 'another:1';
    return null;
  }

  async come(listener) {
    const plain = this.next() < 0.15;
    const [wanted, since] = plain ? [EVERYTHING, null] : [this.wanted(), this.since(listener)];
    if (listener.transport === 'poll') delete wanted.progress_ms; // each poll would begin to count anew
    this.note(listener.name, 'comes with', JSON.stringify(wanted), since);
    if (await listener.connect(this.world.life, wanted, since, this.next)) await this.afterSubscribed(listener, since);
  }

  /** What the ring does not have, /changes has. */
  async afterSubscribed(listener, since) {
    const answer = listener.connection.log.findLast(({ type }) => type === 'SUBSCRIBED');
    if (!answer || !since) return;
    const { recovered } = answer.frame.payload;
    this.counts[recovered ? 'recovered' : 'notRecovered']++;
    const [catalogue, sequence] = since.split(':');
    if (recovered || catalogue !== this.world.life.catalogue || Number(sequence) >= 1e9) return;
    const { changes } = await changesSince(this.world.daemon, since, this.next);
    let last = Number(sequence);
    for (const { event_id: id } of changes) {
      assert.ok(Number(id.split(':')[1]) > last, `${id} after ${last}`);
      last = Number(id.split(':')[1]);
    }
  }

  async subscribe(listener, goesOn = false) {
    if (listener.transport !== 'ws') return;
    const [wanted, since] = [this.wanted(), goesOn ? null : this.since(listener)];
    this.note(listener.name, 'subscribes', JSON.stringify(wanted), since);
    const answers = () => listener.connection.log.filter(({ type }) => type === 'SUBSCRIBED').length;
    const before = listener.connection.asked.length;
    listener.connection.subscribe(wanted, since);
    if (listener.connection.stalled) return;
    if (this.next() < 0.5 && await listener.connection.until(() => answers() > before)) await this.afterSubscribed(listener, since);
  }

  async listenerActs() {
    const listener = this.pick(this.others);
    const dice = this.next();
    if (!listener.open) return this.come(listener);
    if (dice < 0.5) return this.subscribe(listener);
    if (dice < 0.75) {
      this.note(listener.name, listener.connection.stalled ? 'goes on' : 'stalls');
      return listener.connection.stalled ? listener.connection.resume() : listener.connection.stall();
    }
    this.note(listener.name, 'leaves');
    listener.connection.left = true;
    listener.connection.drop(this.next() < 0.5);
    return listener.connection.closed;
  }

  /** More than a small ring and the sockets hold; one client stalls meanwhile, and asks for something else. */
  async flood() {
    const listener = this.pick(this.others.filter(({ open, transport, connection }) => open && transport === 'ws' && !connection.stalled));
    const [scans, at] = [9, 4 + this.below(5)]; // its socket is full by then
    listener?.connection.stall();
    this.note('flood;', listener?.name, 'stalls');
    for (let i = 0; i < scans; i++) {
      if (i === at && listener?.open) await this.subscribe(listener, this.next() < 0.7);
      const id = await this.scan(this.world.folders.noise, { retry_failed: true });
      if (id) await this.world.daemon.wait(id);
    }
    if (listener?.open) listener.connection.resume();
  }

  async act() {
    const { folders } = this.world;
    const dice = this.next();
    if (this.next() < (this.world.life.ringBytes <= 1 << 20 ? 0.015 : 0.008)) return this.flood();
    if (dice < 0.26) await this.scan(folders.some(), { retry_failed: this.next() < 0.3, recursive: this.next() < 0.9 });
    else if (dice < 0.3) await this.scan(folders.noise, { retry_failed: true });
    else if (dice < 0.35) folders.add(5 + this.below(40));
    else if (dice < 0.42) folders.touch(this.below(60));
    else if (dice < 0.45) folders.remove(this.below(10));
    else if (dice < 0.49) await this.remove();
    else if (dice < 0.52) await this.cancel();
    else if (dice < 0.6) await new Promise((resolve) => { setTimeout(resolve, this.next() * 40); }); // others get on
    else await this.listenerActs();
    return undefined;
  }

  // ---- the course of it ----

  async beginLife() {
    const { world } = this;
    const small = this.next() < 0.4;
    const life = await world.start(small ? 1 : 8);
    const since = world.highest ? `${this.catalogue}:${world.highest}` : null;
    this.note('life', ++this.counts.lives, `ring ${small ? 1 : 8} MiB`);
    assert.ok(await this.first.connect(life, EVERYTHING, since), 'the first client');
    const { log } = this.first.connection;
    life.catalogue = log[0].frame.payload.event_id.split(':')[0];
    this.catalogue ??= life.catalogue;
    assert.equal(life.catalogue, this.catalogue);
    life.start = Number(log[0].frame.payload.event_id.split(':')[1]);
    if (since) life.reached = log[1].frame.payload.recovered;
    life.heard = () => log.findLast(({ sequence }) => sequence)?.sequence ?? life.start;
    assert.ok(await this.second.connect(life, EVERYTHING, since), 'the second client');
    life.mark = 0;
  }

  async step() {
    await this.act();
    if (this.world.failure) throw this.world.failure;
  }

  /** Everything comes to rest; who keeps up has everything. */
  async rest() {
    const { world } = this;
    this.note('rest');
    for (const [id, job] of world.jobs) {
      if (job.ended) continue;
      await world.daemon.wait(id, 600);
      job.ended = true; // its end may have been said when nobody was there
    }
    const removed = await this.remove();
    const marker = await world.daemon.scan(world.folders.empty);
    await world.daemon.wait(marker);
    const ends = ({ terminal, job }) => terminal && job === marker;
    for (const { connection, open } of [this.first, this.second, ...this.others]) {
      if (!open || connection.stalled) continue;
      if (connection.wanted.topics.includes('jobs') && !connection.wanted.job_id) await connection.until(ends);
      else if (removed && connection.wanted.topics.includes('library'))
        await connection.until(({ type, frame }) => type === 'VIDEO_REMOVED' && frame.payload.id === removed);
    }
    assert.ok(this.first.open && this.second.open, 'who only listens is still there');
    await world.answered();
    this.noteLag();
  }

  /** Who could have been more than a quarter of the ring behind since the last rest may have lost superseded messages. */
  noteLag() {
    const { life } = this.world;
    const { log } = this.first.connection;
    const bytes = log.slice(life.mark).reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    life.mark = log.length;
    if (bytes > life.ringBytes * 0.2) life.lenient = true;
  }

  async endLife(signal) {
    const { world } = this;
    const { life } = world;
    this.note(signal);
    life.ending = true;
    const listeners = [this.first, this.second, ...this.others];
    const { code, stderr } = await world.daemon.stop(signal);
    assert.equal(code, signal === 'SIGKILL' ? null : 0, stderr);
    for (const { connection } of listeners) if (connection?.stalled && connection.code === undefined) connection.resume();
    await Promise.all(life.connections.map(({ closed }) => closed));
    await world.answered();
    this.noteLag();
    for (const connection of life.connections) {
      checkEnd(connection, life);
      if ([1013, 'lost'].includes(connection.code)) this.counts.overtaken++;
    }
    this.checkLife(life);
  }

  checkLife(life) {
    const truth = new Truth();
    for (const connection of life.connections) {
      if (connection.asked.some(({ wanted }) => wanted.progress_ms) || connection.asked.length > connection.openedWith) continue;
      truth.merge(connection.log.filter(({ topic }) => topic !== 'meta'));
    }
    truth.finish();
    this.world.remember(truth, life);
    for (const connection of life.connections) checkConnection(connection, life, truth);
    this.counts.messages += life.connections.reduce((sum, { log }) => sum + log.length, 0);
    this.counts.connections += life.connections.length;
  }

  async run(until) {
    const { world } = this;
    for (let last = false; !last;) {
      await this.beginLife();
      for (let round = this.below(4); round >= 0; round--) {
        for (let step = 20 + this.below(40); step > 0; step--) await this.step();
        if (round > 0) await this.rest();
      }
      last = Date.now() > until;
      let catalogue = null;
      if (last || this.next() < 0.3) {
        await this.rest();
        catalogue = await readCatalogue(world.daemon, this.next);
      }
      await this.endLife(last || this.next() < 0.5 ? 'SIGTERM' : 'SIGKILL');
      if (catalogue) checkCatalogue(world, catalogue);
    }
  }

  /** At the end each job has ended, and was heard to; but for those whose end fell into a moment when nobody could hear it. */
  async checkJobs() {
    const { world } = this;
    await world.daemon.launch();
    const unheard = world.unheard.reduce((sum, [from, to]) => sum + to - from + 1, 0);
    let silent = 0;
    for (const [id] of world.jobs) {
      const { status, body } = await world.daemon.get(`/api/v1/jobs/${id}`);
      assert.equal(status, 200, id);
      assert.ok(!['pending', 'running'].includes(body.status), `${id} is ${body.status}`);
      if (!world.ended.has(id)) silent++;
    }
    assert.ok(silent <= unheard, `the ends of ${silent} jobs were never said; ${unheard} numbers were given while nobody could hear`);
    this.counts.jobs = world.jobs.size;
  }
}

test(`the channel for ${seconds} s (REELD_SEED=${seed})`, async () => {
  const model = new Model(random(seed));
  try {
    await model.run(Date.now() + seconds * 1000);
    await model.checkJobs();
    await model.world.daemon.cleanup();
    console.log(`seed ${seed}: ${JSON.stringify({ ...model.counts, restChecks: model.world.restChecks })}`);
    fs.rmSync(model.world.dir, { recursive: true });
  } catch (error) {
    console.error(`REELD_SEED=${seed}; what was done last:\n${model.actions.slice(-60).join('\n')}`);
    model.world.daemon?.process.kill('SIGKILL');
    throw error;
  }
});
