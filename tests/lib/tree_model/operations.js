// What may happen to the files between two scans. Each operation is chosen, and made, by the seed and what is on the disk alone.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { Disk, look } from './disk.js';
import { beneath, bytes, extensionOf, folderOf, join, nameOf, show } from './paths.js';
import { fileName, folderName, ruleText } from './pool.js';

const MOST_FILES = 110;

export class Operations {
  /** @param {{roots: string[], bin: string, next: () => number, pool: import('./pool.js').Pool, note: (text: string) => void}} world */
  constructor(world) {
    Object.assign(this, world);
    this.times = 1e9;
    this.kept = [];
    this.keptEver = 0; // in the bin: [{from, to}]
    this.held = 0;
  }

  below(n) {
    return Math.floor(this.next() * n);
  }

  pick(list) {
    return list[this.below(list.length)];
  }

  get disk() {
    return this.now ??= new Disk(this.roots);
  }

  // ---- what is there to choose from ----

  file() {
    return this.pick(this.disk.files().filter(({ path }) => this.disk.holds(path)))?.path ?? null;
  }

  files(count) {
    return Array.from({ length: count }, () => this.file()).filter((one, i, all) => one && all.indexOf(one) === i);
  }

  /** A folder, one of the roots too. */
  folder() {
    const folders = this.disk.folders().map(({ path }) => path);
    return this.next() < 0.3 || folders.length === 0 ? this.pick(this.roots) : this.pick(folders);
  }

  inner() {
    return this.pick(this.disk.folders())?.path ?? null;
  }

  free(extension) {
    const path = join(this.folder(), fileName(this.next, extension));
    return look(path) ? null : path;
  }

  // ---- with one file ----

  write(path, content) {
    fs.writeFileSync(bytes(path), content);
  }

  /** A time that no other file has, with odd nanoseconds. */
  touch(path) {
    this.times += 1 + this.below(1e6);
    execFileSync('touch', ['-m', '-d', `@${this.times}.${String(this.below(1e9)).padStart(9, '0')}`, '--', this.said(path)]);
  }

  /** Programs get their arguments as UTF-8 from node: other names are reached by a descriptor. */
  said(path) {
    const text = Buffer.from(path, 'latin1').toString('utf8');
    if (Buffer.from(text, 'utf8').equals(bytes(path))) return text;
    if (this.held) fs.closeSync(this.held);
    this.held = fs.openSync(bytes(path), 'r');
    return `/proc/${process.pid}/fd/${this.held}`;
  }

  create() {
    const { bytes: content, extension } = this.pool.content();
    const path = this.free(this.next() < 0.93 ? extension : this.pick(['mp4', 'mkv', 'ts', 'avi']));
    if (!path || this.disk.files().length > MOST_FILES) return null;
    this.write(path, content);
    if (this.next() < 0.5) this.touch(path);
    return path;
  }

  many() {
    const folder = join(this.folder(), `set ${this.below(1000)}`);
    if (this.disk.files().length > MOST_FILES / 2 || look(folder)) return null;
    fs.mkdirSync(bytes(folder));
    const count = 5 + this.below(25);
    for (let i = 0; i < count; i++) {
      const { bytes: content, extension } = this.pool.content();
      // Most contents are one of a kind, by what is appended.
      this.write(join(folder, `${i}.${extension}`), this.next() < 0.8 ? Buffer.concat([content, this.pool.garbage[i % 3]]) : content);
    }
    return `${folder} ${count}`;
  }

  broken() {
    const path = this.free(this.pick(['mp4', 'mkv', 'ts', 'avi']));
    if (path) this.write(path, this.pool.broken());
    return path;
  }

  spoil() {
    const path = this.file();
    if (path) this.write(path, this.pool.broken());
    return path;
  }

  append() {
    const path = this.file();
    if (path) fs.appendFileSync(bytes(path), this.pick(this.pool.garbage));
    return path;
  }

  truncate() {
    const path = this.file();
    if (path) fs.truncateSync(bytes(path), Math.floor(Number(look(path).size) * this.pick([0.25, 0.5, 0.9])));
    return path;
  }

  touched() {
    const path = this.file();
    if (path) this.touch(path);
    return path;
  }

  /** Other content at the same place and inode. */
  overwrite() {
    const path = this.file();
    if (path) this.write(path, this.pool.content().bytes);
    return path;
  }

  /** The same content, or another, under the same name in a new inode, as programs save. */
  replace() {
    const [path, other] = [this.file(), this.file()];
    if (!path) return null;
    const fresh = join(this.bin, 'fresh');
    fs.copyFileSync(bytes(this.next() < 0.5 ? path : other), fresh);
    fs.renameSync(fresh, bytes(path));
    return path;
  }

  alike() {
    const path = this.disk.files().find(({ stat }) => Number(stat.size) === this.pool.alike[0].bytes.length)?.path;
    if (path) this.write(path, this.pick(this.pool.alike).bytes);
    return path;
  }

  copy(withTimes) {
    const from = this.file();
    const to = from && this.free(extensionOf(from));
    if (!to) return null;
    fs.copyFileSync(bytes(from), bytes(to));
    if (withTimes) execFileSync('touch', ['-m', '-r', this.said(from), '--', this.reached(to)]);
    return [from, to];
  }

  reached(path) {
    const text = Buffer.from(path, 'latin1').toString('utf8');
    if (Buffer.from(text, 'utf8').equals(bytes(path))) return text;
    this.second = fs.openSync(bytes(path), 'r');
    return `/proc/${process.pid}/fd/${this.second}`;
  }

  link() {
    const from = this.file();
    const to = from && this.free(extensionOf(from));
    if (to) fs.linkSync(bytes(from), bytes(to));
    return to && [from, to];
  }

  // ---- moves ----

  move(from, to) {
    fs.renameSync(bytes(from), bytes(to));
    return [from, to];
  }

  rename() {
    const from = this.file();
    const to = from && join(folderOf(from), fileName(this.next, this.next() < 0.9 ? extensionOf(from) : 'mp4'));
    return to && !look(to) ? this.move(from, to) : null;
  }

  moveAway() {
    const from = this.file();
    const to = from && join(this.folder(), this.next() < 0.7 ? nameOf(from) : fileName(this.next, extensionOf(from)));
    return to && !look(to) ? this.move(from, to) : null;
  }

  moveOver() {
    const [from, to] = this.files(2);
    return to ? this.move(from, to) : null;
  }

  ring(count) {
    const files = this.files(count);
    if (files.length < count) return null;
    const aside = join(this.bin, 'aside');
    this.move(files[0], aside);
    for (let i = 1; i < count; i++) this.move(files[i], files[i - 1]);
    this.move(aside, files[count - 1]);
    return files;
  }

  // ---- folders ----

  makeFolder() {
    const path = join(this.folder(), folderName(this.next));
    if (look(path) || path.split('/').length > 9) return null;
    fs.mkdirSync(bytes(path));
    return path;
  }

  moveFolder() {
    const from = this.inner();
    const above = from && (this.next() < 0.6 ? folderOf(from) : this.folder());
    const to = from && join(above, this.next() < 0.3 ? nameOf(from) : folderName(this.next));
    return to && !beneath(from, to) && !look(to) ? this.move(from, to) : null;
  }

  /** A folder goes elsewhere, and a link stands in its place. */
  linkFolder() {
    const moved = this.moveFolder();
    if (moved) fs.symlinkSync(bytes(moved[1]), bytes(moved[0]));
    return moved;
  }

  fileForFolder() {
    const path = this.inner();
    if (!path || this.next() < 0.5) return null;
    fs.rmSync(bytes(path), { recursive: true });
    this.write(path, this.pool.contents[0].bytes);
    return path;
  }

  folderForFile() {
    const path = this.file();
    if (!path) return null;
    const aside = join(this.bin, 'aside');
    this.move(path, aside);
    fs.mkdirSync(bytes(path));
    if (this.next() < 0.5) return this.move(aside, join(path, 'inside.mp4'));
    fs.rmSync(aside);
    return path;
  }

  // ---- away and back ----

  remove() {
    const path = this.file();
    if (path) fs.rmSync(bytes(path));
    return path;
  }

  removeFolder() {
    const path = this.next() < 0.4 ? this.inner() : null;
    if (path) fs.rmSync(bytes(path), { recursive: true });
    return path;
  }

  keep() {
    const from = this.next() < 0.6 ? this.file() : this.inner();
    if (!from) return null;
    const to = join(this.bin, `kept ${this.keptEver++}`);
    this.kept.push({ from, to });
    return this.move(from, to);
  }

  restore() {
    const [{ from, to } = {}] = this.kept.splice(this.below(this.kept.length), 1);
    if (!to) return null;
    const back = this.next() < 0.7 ? from : join(this.folder(), nameOf(from));
    if (look(back) || !look(folderOf(back))?.isDirectory()) return this.kept.push({ from, to }) && null;
    if (this.next() < 0.7 || look(to).isDirectory()) return this.move(to, back);
    fs.copyFileSync(bytes(to), bytes(back)); // another inode, another time
    fs.rmSync(bytes(to));
    return [to, back];
  }

  // ---- what is no video, or is not to be seen ----

  other() {
    const kind = this.below(5);
    const path = kind === 0 ? this.free('txt') : this.free('mp4');
    if (!path) return null;
    if (kind === 0) this.write(path, 'notes');
    else if (kind === 1) fs.symlinkSync('nowhere', bytes(path));
    else if (kind === 2) fs.symlinkSync(bytes(this.file() ?? this.roots[0]), bytes(path));
    else if (kind === 3) fs.symlinkSync(bytes(this.folder()), bytes(path));
    else execFileSync('mkfifo', [join(this.bin, 'pipe')]) && fs.renameSync(join(this.bin, 'pipe'), bytes(path));
    return `${path} ${kind}`;
  }

  rules() {
    const path = join(this.folder(), '.reeldignore');
    if (look(path) && this.next() < 0.6) fs.rmSync(bytes(path));
    else this.write(path, ruleText(this.next));
    return path;
  }

  nomedia() {
    const all = [...this.disk.entries.keys()].filter((path) => nameOf(path) === '.nomedia');
    const path = all.length ? this.pick(all) : join(this.folder(), '.nomedia');
    if (all.length) fs.rmSync(bytes(path));
    else this.write(path, '');
    return path;
  }

  close() {
    const path = this.next() < 0.5 ? this.file() : this.inner();
    if (path) fs.chmodSync(bytes(path), 0);
    return path;
  }

  open() {
    const shut = [...this.disk.entries.values()].filter(({ kind, readable }) => !readable && ['file', 'folder'].includes(kind));
    for (const { path, kind } of shut) fs.chmodSync(bytes(path), kind === 'folder' ? 0o755 : 0o644);
    return shut.length ? `${shut.length}` : null;
  }

  /** One operation; what it was is noted. */
  act() {
    this.now = null;
    const [name, ...args] = this.pick(this.menu ??= CHOICES.flatMap(([weight, ...choice]) => Array(weight).fill(choice)));
    const done = this[name](...args);
    if (done) this.note(`${name}${args.length ? `(${args})` : ''} ${Array.isArray(done) ? done.map(show).join(' → ') : show(done)}`);
    this.now = null;
    for (const key of ['held', 'second']) {
      if (this[key]) fs.closeSync(this[key]);
      this[key] = 0;
    }
    return Boolean(done);
  }
}

const CHOICES = [
  [10, 'create'], [3, 'many'], [2, 'broken'], [3, 'spoil'], [4, 'append'], [3, 'truncate'], [4, 'touched'], [4, 'overwrite'], [3, 'replace'],
  [2, 'alike'], [3, 'copy', false], [3, 'copy', true], [4, 'link'], [6, 'rename'], [7, 'moveAway'], [3, 'moveOver'], [4, 'ring', 2], [3, 'ring', 3],
  [5, 'makeFolder'], [4, 'moveFolder'], [1, 'linkFolder'], [1, 'fileForFolder'], [2, 'folderForFile'], [3, 'remove'], [1, 'removeFolder'],
  [4, 'keep'], [4, 'restore'], [2, 'other'], [2, 'rules'], [2, 'nomedia'], [2, 'close'], [3, 'open'],
];
