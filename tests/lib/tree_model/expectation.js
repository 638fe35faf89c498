// What a scan must have made of the catalogue: from what was known before, and the disk. Where two choices are equally right (which
// of two copies is the video that went away) what the service chose is looked at, and anything right is accepted.
import assert from 'node:assert/strict';
import { sameStamp } from './disk.js';
import { differences, verdict } from './oracle.js';
import { beneath, folderOf, nameOf, said, show } from './paths.js';

/** @typedef {{id: string, number: number, path: string, missing: boolean, since: string | null, stamp: object, print: string, created: string}} Row */

export function inScope(scope, path) {
  if (scope.kind === 'file') return path === scope.path;
  return scope.recursive ? path !== scope.path && beneath(scope.path, path) : folderOf(path) === scope.path;
}

/** Whether a list comes before another one, member by member. */
function before(a, b) {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at >= 0 && a[at] < b[at];
}

export class Expectation {
  /**
   * @param {{before: Map<string, Row>, disk: import('./disk.js').Disk, scope: object, scratch: string, failedOnce: Set<string>}} what
   *   failedOnce: paths at which a file was ever judged to be bad: one that is as it was before that may be probed again
   */
  constructor(what) {
    Object.assign(this, what);
    this.at = new Map();
    for (const row of this.before.values()) if (!row.missing) this.at.set(row.path, row);
    const entries = [...this.disk.entries.values()].filter(({ path, closed, ignored }) => inScope(this.scope, path) && !closed && !ignored);
    this.files = entries.filter(({ wanted }) => wanted).map((entry) => this.look(entry));
    this.shut = entries.filter(({ kind, readable }) => kind === 'folder' && !readable && this.scope.recursive).map(({ path }) => path);
  }

  look(entry) {
    const own = this.at.get(entry.path) ?? null;
    const same = Boolean(own && sameStamp(own.stamp, entry.stamp));
    const print = entry.kind === 'file' ? this.disk.print(entry) : null;
    return { ...entry, own, same, print, judged: same ? { kind: 'video' } : this.judge(entry) };
  }

  judge(entry) {
    if (entry.kind !== 'file') return { kind: 'failure', codes: ['NOT_A_FILE'] };
    const found = verdict(this.disk, entry, this.scratch);
    if (entry.readable) return found;
    return { kind: found.kind === 'text' || found.kind === 'either' ? 'either' : 'failure' };
  }

  /** Nothing, or something else, is where the video was. */
  gone({ path, stamp }) {
    if (!this.disk.canLook(path)) return false;
    const entry = this.disk.get(path);
    return !entry || entry.stamp.inode !== stamp.inode;
  }

  /** Whether another file may be this video from the beginning of the scan on. */
  free(row) {
    return row.missing || this.gone(row);
  }

  /**
   * Another file of its size is at its place, of which this scan does not tell what is in it: the video may be there still, saved anew.
   * One that this scan looks into leaves no doubt: either it has the video's content, or the video has gone.
   */
  doubtful(row) {
    const entry = row.missing ? null : this.disk.get(row.path);
    if (entry?.kind !== 'file' || entry.stamp.size !== row.stamp.size) return false;
    const file = this.files.find((one) => one.path === row.path);
    return file?.judged.kind !== 'video' || file.print === row.print;
  }

  claims(file) {
    const free = [...this.before.values()].filter((row) => row !== file.own && this.free(row));
    const stamp = free.filter((row) => sameStamp(row.stamp, file.stamp));
    return { stamp, content: file.print ? free.filter((row) => row.print === file.print && !this.doubtful(row)) : [] };
  }

  // ---- files ----

  /** @param {object} after from observe() */
  check(after) {
    this.after = after;
    this.lines = new Map(); // path → {outcome, from}
    this.optional = new Set();
    this.expectTouched = new Set();
    for (const file of this.files) this.checkFile(file);
    for (const file of this.files) this.checkFair(file);
    this.checkRows();
  }

  line(file, outcome, from = null) {
    this.lines.set(file.path, { outcome, from });
  }

  checkFile(file) {
    const { path, own, same, judged, readable } = file;
    const now = this.after.at.get(path) ?? null;
    const touched = now && this.after.touched.has(now.id);
    if (same) {
      assert.equal(now?.id, own.id, `${show(path)} is as it was: its video`);
      if (touched) assert.ok(this.failedOnce.has(path), `${show(path)} is as it was, and was written anew`);
      return this.line(file, touched ? 'updated' : 'skipped');
    }
    const placed = now && touched && now.id !== own?.id;
    if (judged.kind === 'video' || (!readable && placed)) return this.checkVideo(file, now);
    assert.ok(!placed, `${show(path)} is no video, and ${now?.id} is there`);
    if (now) assert.ok(!touched, `${show(path)} is no video now; what is known of it stays as it was`);
    if (judged.kind === 'failure') this.line(file, 'failed');
    else if (judged.kind === 'either') this.optional.add(path);
    return undefined;
  }

  checkVideo(file, now) {
    const { path, own } = file;
    assert.ok(now, `${show(path)} is a video, and not in the catalogue`);
    assert.ok(this.after.touched.has(now.id), `${show(path)} has changed, and ${now.id} has not`);
    this.expectTouched.add(now.id);
    assert.equal(now.file_size, Number(file.stamp.size), `${show(path)}: size`);
    assert.equal(Date.parse(now.modified_at), Number(file.stamp.mtime / 1000000n), `${show(path)}: time`);
    if (file.judged.about) assert.deepEqual(differences(now, file.judged.about), {}, show(path));
    const was = this.before.get(now.id);
    if (!was) this.line(file, 'new');
    else if (was.path === path) this.line(file, 'updated');
    else this.line(file, 'moved', was.path);
    this.checkIdentity(file, now, was);
    if (was) assert.equal(now.created_at, was.created, `${show(path)}: created_at stays`);
  }

  /** Whether a video went to no file at all in this scan, not even to the one that is at its place now. */
  unclaimed(row) {
    return this.after.videos.get(row.id).missing_since !== null || !this.after.touched.has(row.id);
  }

  checkIdentity(file, now, was) {
    const { path, own, print } = file;
    const { stamp, content } = this.claims(file);
    const name = `${show(path)} is ${now.id}`;
    const left = content.filter((row) => this.unclaimed(row) && row !== was).map(({ id, path: from }) => `${id} ${show(from)}`);
    const missingHere = [...this.before.values()].filter((row) => row.missing && row.path === path && row !== was);
    if (was && was === own && own.print === print) return; // only touched
    if (was && was.print === print) {
      const displaced = this.after.at.has(was.path) && this.after.at.get(was.path).id !== was.id;
      assert.ok(was === own || this.free(was) || displaced, `${name}, whose file is still at ${show(was.path)}`);
      this.checkPreference(file, was, stamp.length ? stamp : content);
      return;
    }
    assert.deepEqual(left, [], `${name}, and yet these were free and have its content`);
    if (was === own && was) return; // new content at its place
    if (own) assert.ok(!this.unclaimed(own), `${name}; ${own.id} was there, and went nowhere`);
    if (!was) {
      assert.deepEqual(missingHere.filter((row) => this.unclaimed(row)).map(({ id }) => id), [], `${name}, new; missing at this very path`);
      return;
    }
    assert.ok(was.missing && was.path === path, `${name}, which has nothing to do with it (${show(was.path)})`);
    const later = missingHere.filter((row) => this.unclaimed(row) && row.since > was.since);
    assert.deepEqual(later.map(({ id }) => id), [], `${name}; missing here more recently`);
  }

  /** How well a video fits a file: the same path, the same name, any; what is missing before what left; the earliest. */
  rank(row, file, missing = row.missing) {
    return [row.path === file.path ? 0 : nameOf(row.path) === nameOf(file.path) ? 1 : 2, missing ? 0 : 1, row.number];
  }

  /** Where one file alone wants what is free, the choice is known. */
  checkPreference(file, was, choice) {
    const others = this.files.filter((one) => one !== file && !one.same && one.print === file.print);
    const displaced = !was.missing && this.after.at.has(was.path) && this.after.at.get(was.path).id !== was.id;
    if (others.length || displaced || !choice.includes(was)) return;
    const better = choice.filter((row) => before(this.rank(row, file), this.rank(was, file)));
    assert.deepEqual(better.map(({ id, path }) => `${id} ${show(path)}`), [], `${show(file.path)} is ${was.id} ${show(was.path)}; better`);
  }

  /** Where several files have the content of one that was missing, it is the best fit's, then the first's: whoever was judged first. */
  checkFair(file) {
    const now = this.after.at.get(file.path);
    if (file.same || file.judged.kind !== 'video') return;
    const was = this.before.get(now.id);
    if (was && (sameStamp(was.stamp, file.stamp) || (was === file.own && was.print === file.print))) return;
    const got = was && was.print === file.print ? this.rank(was, file, true) : [3];
    for (const row of this.claims(file).content.filter(({ missing, id }) => missing && id !== now.id)) {
      const taker = this.files.find(({ path }) => this.after.at.get(path)?.id === row.id);
      if (!taker || sameStamp(taker.stamp, row.stamp) || taker.print !== row.print) continue;
      const [mine, other] = [this.rank(row, file), this.rank(row, taker)];
      if (before(mine.slice(0, 2), got.slice(0, 2)) && mine[0] <= other[0])
        assert.ok(mine[0] === other[0] && taker.path < file.path, `${row.id} ${show(row.path)} is ${show(taker.path)}; better: ${show(file.path)}`);
    }
  }

  // ---- videos ----

  /** Every video is where it was, went to a file of this scan, or became missing by right. */
  checkRows() {
    this.vanished = [];
    this.displaced = [];
    const placed = new Set([...this.lines].filter(([, { outcome }]) => ['new', 'moved', 'updated'].includes(outcome))
      .map(([path]) => this.after.at.get(path).id));
    for (const id of this.after.videos.keys()) assert.ok(this.before.has(id) || placed.has(id), `${id} came from nowhere`);
    for (const row of this.before.values()) {
      const video = this.after.videos.get(row.id);
      assert.ok(video, `${row.id} ${show(row.path)} is lost`);
      if (placed.has(row.id)) continue;
      const missing = video.missing_since !== null;
      assert.equal(said(video), row.path, `${row.id} went where no file is`);
      if (row.missing) assert.ok(missing && !this.after.touched.has(row.id), `${row.id} was missing and is so still`);
      else if (this.after.at.has(row.path) && missing) this.displaced.push(row);
      else if (inScope(this.scope, row.path) && this.disk.shows(row.path)) this.vanished.push(row);
      else assert.ok(!missing && !this.after.touched.has(row.id), `${row.id} ${show(row.path)} stays as it was`);
    }
  }

  // ---- the root's guard ----

  /** Whether the guard must refuse: true, false, or null where both are right. */
  mustRefuse(root) {
    if (this.vanished.length === 0) return false;
    if (this.disk.names(root).length === 0) return true;
    if (this.scope.kind === 'file') return false;
    // A file that is only passed over now is no loss; one in whose place a folder is was lost, whether that is passed over or not.
    const passedOver = ({ path }) => this.disk.get(path)?.kind === 'file' && this.disk.get(path).ignored;
    const real = this.vanished.filter((row) => !passedOver(row));
    const there = [...this.before.values()].filter((row) => !row.missing && beneath(root, row.path)).length;
    const then = [...this.after.at.keys()].filter((path) => beneath(root, path)).length
      + this.vanished.filter(({ id }) => this.after.videos.get(id).missing_since !== null).length;
    const votes = [there, then].map((base) => real.length >= 10 && real.length * 5 > base);
    return votes[0] === votes[1] ? votes[0] : null;
  }

  /** The job's own account. */
  checkJob(job, root) {
    const { result } = job;
    const must = this.mustRefuse(root);
    if (must !== null) assert.equal(Boolean(result.refused), must, `${this.vanished.length} vanished: ${JSON.stringify(result.refused)}`);
    for (const row of this.vanished) {
      const missing = this.after.videos.get(row.id).missing_since !== null;
      assert.equal(missing, !result.refused, `${row.id} ${show(row.path)}, whose file is gone`);
      assert.equal(this.after.touched.has(row.id), missing);
    }
    if (result.refused) assert.equal(result.refused.count, this.vanished.length, 'what was refused');
    const count = (outcome) => [...this.lines.values()].filter((line) => line.outcome === outcome).length;
    const expected = {
      new: count('new'), updated: count('updated'), moved: count('moved'), skipped: count('skipped'),
      missing: this.displaced.length + (result.refused ? 0 : this.vanished.length),
    };
    const { new: added, updated, moved, skipped, missing } = result;
    assert.deepEqual({ new: added, updated, moved, skipped, missing }, expected, 'the counters');
    assert.equal(result.scanned, added + updated + moved + skipped + result.error_count, 'scanned is the sum');
    assert.equal(job.processed, result.scanned);
    assert.equal(job.total, job.processed);
  }

  /** Each bad file, and no other, is among the job's failures. */
  checkFailures(failures) {
    const listed = new Map(failures.map((one) => [said(one), one.code]));
    assert.equal(listed.size, failures.length, 'no failure is listed twice');
    for (const { path, judged, same } of this.files) {
      const failed = this.lines.get(path)?.outcome === 'failed';
      const code = listed.get(path);
      if (!this.optional.has(path)) assert.equal(code !== undefined, failed, `${show(path)}: ${code}`);
      if (failed && !same && judged.codes) assert.ok(judged.codes.includes(code), `${show(path)} failed as ${code}`);
      listed.delete(path);
    }
    for (const path of this.shut) {
      assert.equal(listed.get(path), 'UNREADABLE', show(path));
      listed.delete(path);
    }
    assert.deepEqual([...listed.keys()], [], 'nothing else failed');
  }

  // ---- what is known from now on ----

  rows() {
    const rows = new Map();
    const byPath = new Map(this.files.map((file) => [file.path, file]));
    let number = Math.max(0, ...[...this.before.values()].map((row) => row.number));
    const ids = [...this.after.videos.keys()].sort((a, b) => this.after.order.get(a) - this.after.order.get(b));
    for (const id of ids) {
      const video = this.after.videos.get(id);
      const was = this.before.get(id);
      const path = said(video);
      const missing = video.missing_since !== null;
      const file = !missing && this.after.touched.has(id) ? byPath.get(path) : null;
      rows.set(id, {
        id, path, missing, since: video.missing_since, created: video.created_at, number: was?.number ?? ++number,
        stamp: file?.stamp ?? was.stamp, print: file?.print ?? was.print,
      });
    }
    return rows;
  }

  /** After a scan that was stopped: part of it was done, and nothing else. */
  adopt(after) {
    this.after = after;
    const byPath = new Map(this.files.map((file) => [file.path, file]));
    for (const row of this.before.values()) {
      const video = after.videos.get(row.id);
      assert.ok(video, `${row.id} ${show(row.path)} is lost`);
      const gone = inScope(this.scope, row.path) && this.disk.shows(row.path); // the scan was stopped at its very end
      if (video.missing_since !== null && !row.missing) assert.ok(gone || after.at.has(row.path), `${show(row.path)} is missing after a scan that was stopped`);
    }
    for (const id of after.touched) {
      const video = after.videos.get(id);
      if (video.missing_since === null) assert.ok(byPath.has(said(video)), `${id} is at ${show(said(video))}, where no file is`);
    }
    return this.rows();
  }
}
