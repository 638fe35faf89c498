// The course of the tree model: operations on the files, a scan, the whole catalogue against the model, and again.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, eventually, tempDir } from '../daemon.js';
import { Mirror, catalogue, sameRows } from '../mirror.js';
import { Disk, look, sameStamp } from './disk.js';
import { Expectation, inScope } from './expectation.js';
import { checkExplained } from './explain.js';
import { Guard } from './guard.js';
import { checkHeard } from './heard.js';
import { observe } from './observed.js';
import { Operations } from './operations.js';
import { verdict } from './oracle.js';
import { beneath, bytes, folderOf, said, show, uriOf } from './paths.js';
import { checkPlan } from './plan.js';
import { Pool } from './pool.js';

const root = process.getuid() === 0;

export class Story {
  constructor(next) {
    this.next = next;
    this.dir = tempDir('reeld-trees-');
    fs.chmodSync(this.dir, 0o755);
    const at = (name, mode = 0o755) => {
      const folder = path.join(this.dir, name);
      fs.mkdirSync(folder);
      fs.chmodSync(folder, mode);
      return folder;
    };
    this.roots = [at('one'), at('two')];
    this.bin = at('bin');
    this.scratch = at('scratch');
    this.data = at('data', 0o777);
    this.done = [];
    this.counts = { scans: 0, operations: 0, files: 0, dry: 0, cancels: 0, kills: 0, stops: 0, refused: 0, accepted: 0, new: 0, updated: 0, moved: 0, missing: 0, skipped: 0, failed: 0 };
    this.pool = new Pool(next);
    this.operations = new Operations({ roots: this.roots, bin: this.bin, next, pool: this.pool, note: (words) => this.note(words) });
    this.guard = new Guard(this);
    /** @type {Map<string, import('./expectation.js').Row>} */
    this.rows = new Map();
    this.since = null;
    this.failedOnce = new Set();
    // path → the stamps with which it failed once; null among them: with any. What failed is known by its stamp, also when it was
    // away for a while, since what is gone is forgotten only by the way.
    this.remembered = new Map();
  }

  note(words) {
    this.done.push(`${this.counts.scans}: ${words}`);
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  async start() {
    // Nothing is closed to root: the daemon runs as nobody, where it may.
    const wrap = root ? ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] : [];
    const args = [...this.roots.flatMap((folder) => ['--root', folder]), '--workers', '2', '--settle', '0'];
    this.daemon = await Daemon.start({ dir: this.data, wrap, args });
    this.mirrors = [new Mirror(this.daemon), new Mirror(this.daemon, { transport: 'sse', begin: 'changes', limit: 7 })];
    for (const mirror of this.mirrors) mirror.start();
    // What happens from here on shall reach them by the stream.
    await eventually(() => {
      for (const mirror of this.mirrors) if (mirror.failed) throw mirror.failed;
      return this.mirrors.every(({ since }) => since !== null);
    }, 'the mirrors have begun');
    await this.listen();
  }

  async listen() {
    this.channel = await this.daemon.channel('?topics=library,jobs');
  }

  async end() {
    await this.converge();
    for (const mirror of this.mirrors) await mirror.stop();
    await this.daemon.cleanup();
    this.operations.open();
    fs.rmSync(this.dir, { recursive: true });
  }

  /** Who heard everything has what the catalogue has. */
  async converge() {
    const real = await catalogue(this.daemon);
    for (const mirror of this.mirrors) {
      await eventually(() => {
        if (mirror.failed) throw mirror.failed;
        try {
          sameRows(mirror.videos, real, mirror.name);
          return true;
        } catch {
          return false;
        }
      }, mirror.name).catch(() => sameRows(mirror.videos, real, mirror.name));
    }
  }

  // ---- what is scanned ----

  scope() {
    const kind = this.next();
    const disk = new Disk(this.roots);
    const folders = disk.folders().filter(({ path: folder, ignored, closed, readable }) => !ignored && !closed && readable && !this.quiet(disk, folder));
    const files = disk.files().filter(({ path: file, closed, readable }) => disk.holds(file) && !closed && readable);
    if (kind > 0.9 && files.length) return { kind: 'file', path: this.pick(files).path, recursive: true };
    if (kind > 0.75 && folders.length) return { kind: 'folder', path: this.pick(folders).path, recursive: this.next() < 0.7 };
    return { kind: 'root', path: this.pick(this.roots), recursive: true };
  }

  /** A folder that has .nomedia itself: what is asked for by name is found, and that is told elsewhere. */
  quiet(disk, folder) {
    return disk.entries.has(`${folder}/.nomedia`);
  }

  rootOf(file) {
    return this.roots.find((folder) => beneath(folder, file));
  }

  expectation(scope, disk) {
    return new Expectation({ before: this.rows, disk, scope, scratch: this.scratch, failedOnce: this.failedOnce });
  }

  async ask(scope, more = {}) {
    const { status, body } = await this.daemon.post('/api/v1/videos/scan', { path_uri: uriOf(scope.path), recursive: scope.recursive, ...more });
    assert.equal(status, 202, `${show(scope.path)}: ${JSON.stringify(body)}`);
    return body.job_id;
  }

  // ---- a scan and what it must have done ----

  async scan(scope, how) {
    const disk = new Disk(this.roots);
    const expectation = this.expectation(scope, disk);
    this.note(`scan ${scope.kind} ${show(scope.path)}${scope.recursive ? '' : ' alone'} ${how}`);
    if (this.next() < 0.3) await this.dryRun(scope, expectation);
    const from = this.channel.frames.length;
    const id = await this.ask(scope, { retry_failed: this.next() < 0.15 });
    if (how !== 'plain') await this[how](id);
    const job = await this.daemon.wait(id);
    this.counts.scans++;
    if (job.status === 'cancelled') return this.adopt(expectation);
    assert.equal(job.status, 'complete', JSON.stringify(job));
    const after = await this.observe();
    expectation.check(after);
    expectation.checkJob(job, this.rootOf(scope.path));
    const failures = await this.failures(id);
    expectation.checkFailures(failures);
    if (how === 'plain') await checkHeard(this.channel, from, job, expectation);
    this.count(job, disk);
    this.remember(expectation, failures);
    this.rows = expectation.rows();
    await this.guard.after(job, scope, expectation, how);
    await this.explain(disk, scope);
    return undefined;
  }

  async observe() {
    const after = await observe(this.daemon, this.since, this.pick([3, 50, 1000]));
    this.since = after.next;
    return after;
  }

  async failures(id) {
    const all = [];
    for (let cursor = ''; cursor !== null;) {
      const { status, body } = await this.daemon.get(`/api/v1/jobs/${id}/failures?limit=7${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      assert.equal(status, 200, JSON.stringify(body));
      all.push(...body.failures);
      cursor = body.next_cursor;
    }
    return all;
  }

  count({ result }, disk) {
    for (const word of ['new', 'updated', 'moved', 'missing', 'skipped']) this.counts[word] += result[word];
    this.counts.failed += result.error_count;
    this.counts.refused += result.refused ? 1 : 0;
    this.counts.files = Math.max(this.counts.files, disk.files().length);
  }

  mayRemember(file, stamp) {
    this.failedOnce.add(file);
    this.remembered.set(file, [...(this.remembered.get(file) ?? []), stamp]);
  }

  remember({ files }, failures) {
    const failed = new Set(failures.map(said));
    for (const { path: file, stamp, judged } of files) {
      if (failed.has(file) || judged.kind !== 'video') this.mayRemember(file, stamp);
    }
  }

  async adopt(expectation) {
    this.counts.cancels++;
    this.rows = expectation.adopt(await this.observe());
    for (const { path: file, judged } of expectation.files) {
      if (judged.kind !== 'video') this.mayRemember(file, null);
    }
  }

  /** Says what the scan that follows would do, and changes nothing. */
  async dryRun(scope, expectation) {
    const job = await this.daemon.wait(await this.ask(scope, { dry_run: true }));
    this.counts.dry++;
    assert.equal(job.status, 'complete', JSON.stringify(job));
    assert.equal(job.dry_run, true);
    checkPlan(expectation, job, ({ path: file, stamp }) => (this.remembered.get(file) ?? []).some((one) => !one || sameStamp(one, stamp)));
    const after = await this.observe();
    assert.deepEqual([...after.touched], [], 'a dry run changes nothing');
    assert.equal(after.videos.size, this.rows.size);
  }

  async explain(disk, scope) {
    const rows = [...this.rows.values()];
    const at = new Map(rows.filter(({ missing }) => !missing).map((row) => [row.path, row]));
    const within = (file) => inScope(scope, file) && scope.kind !== 'file';
    const part = { entries: new Map([...disk.entries].filter(([file]) => within(file))), get: (file) => disk.get(file), canLook: (file) => disk.canLook(file) };
    await checkExplained(this.daemon, {
      disk: part, rows: rows.filter((row) => within(row.path)), at, scanned: !this.guard.refusing,
      verdictOf: (entry) => verdict(disk, entry, this.scratch),
    });
  }

  // ---- what may come between ----

  async cancel(id) {
    const { status } = await this.daemon.post(`/api/v1/jobs/${id}/cancel`);
    assert.ok([200, 202, 409].includes(status), `cancel: ${status}`);
  }

  /** The random moment, not a wait for anything. */
  moment() {
    return new Promise((resolve) => { setTimeout(resolve, this.next() * 150); });
  }

  async kill() {
    await this.moment();
    this.counts.kills++;
    await this.restart('SIGKILL');
  }

  async stop() {
    await this.moment();
    this.counts.stops++;
    await this.restart('SIGTERM');
  }

  async restart(signal) {
    const { code, stderr } = await this.daemon.stop(signal);
    if (signal === 'SIGTERM') assert.equal(code, 0, stderr);
    await this.daemon.launch();
    await this.listen();
    this.guard.forget();
  }

  async act() {
    const before = this.operations.disk.files().length;
    const wanted = before < 25 ? 12 : 1 + this.below(8);
    for (let i = 0; i < wanted; i++) if (this.operations.act()) this.counts.operations++;
    if (this.next() < 0.08) await this.forgetOne();
    if (this.next() < 0.04) await this.purge();
    if (this.next() < 0.04) await this.restart(this.next() < 0.5 ? 'SIGTERM' : 'SIGKILL');
  }

  async forgetOne() {
    const row = this.pick([...this.rows.values()]);
    if (!row) return;
    this.note(`DELETE ${row.id} ${show(row.path)}`);
    const { status } = await this.daemon.request('DELETE', `/api/v1/videos/${row.id}`);
    assert.equal(status, 204);
    await this.removed([row.id]);
  }

  async purge() {
    const missing = [...this.rows.values()].filter((row) => row.missing).map(({ id }) => id);
    this.note(`purge ${missing.length}`);
    const { status, body } = await this.daemon.post('/api/v1/videos/purge', { older_than_days: 0 });
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(body.purged, missing.length);
    await this.removed(missing);
  }

  async removed(ids) {
    const after = await this.observe();
    assert.deepEqual([...after.removed].sort(), [...ids].sort(), 'what was removed');
    assert.equal(after.touched.size, ids.length);
    for (const id of ids) this.rows.delete(id);
  }

  /** Operations, and what a scan makes of them. */
  async step() {
    await this.act();
    await this.askForNothing();
    const kind = this.next();
    const how = kind < 0.82 ? 'plain' : kind < 0.88 ? 'cancel' : kind < 0.95 ? 'kill' : 'stop';
    await this.scan(this.scope(), how);
    if (this.next() < 0.1) await this.converge();
  }

  /** A folder or file that went away cannot be scanned. */
  async askForNothing() {
    const row = this.pick([...this.rows.values()]);
    if (!row || this.next() < 0.8 || look(row.path) || look(folderOf(row.path))?.isSymbolicLink()) return;
    const { status } = await this.daemon.post('/api/v1/videos/scan', { path_uri: uriOf(row.path) });
    assert.ok([400, 403].includes(status), `${show(row.path)} is gone; a scan of it: ${status}`);
  }

  /** At the end: all of it once more, and then nothing has changed. */
  async settle() {
    this.operations.open();
    for (const folder of this.roots) await this.scan({ kind: 'root', path: folder, recursive: true }, 'plain');
    for (const folder of this.roots) {
      if (!fs.existsSync(bytes(folder))) continue;
      const job = await this.daemon.wait(await this.ask({ path: folder, recursive: true }));
      const { new: added, updated, moved } = job.result;
      assert.deepEqual({ added, updated, moved }, { added: 0, updated: 0, moved: 0 }, 'a second scan finds nothing new');
    }
    const after = await this.observe();
    assert.deepEqual([...after.touched], []);
    for (const row of this.rows.values()) {
      const stat = row.missing ? null : look(row.path);
      if (stat) assert.ok(sameStamp({ inode: stat.ino, size: stat.size, mtime: stat.mtimeNs }, row.stamp) || this.failedOnce.has(row.path), show(row.path));
    }
  }
}
