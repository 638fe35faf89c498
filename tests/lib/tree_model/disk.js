// What is on the disk now, asked of the file system itself: every entry below the roots, whether a scan should look at it and,
// where not, why; the contents by their hashes.
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { builtIn, judge, parseRules } from './ignore.js';
import { bytes, extensionOf, folderOf, fromBytes, join } from './paths.js';

export const EXTENSIONS = new Set(['mp4', 'mkv', 'avi', 'mov', 'webm', 'm4v', 'ts', 'm2ts', 'mts', 'mpg', 'mpeg', 'wmv', 'flv', 'ogv',
  '3gp', 'mxf', 'vob']);

const END = 64 * 1024;
const hashes = new Map(); // stamp and ctime → {content, print}

export const stampOf = (stat) => ({ inode: stat.ino, size: stat.size, mtime: stat.mtimeNs });
export const sameStamp = (a, b) => a.inode === b.inode && a.size === b.size && a.mtime === b.mtime;

function hash(...parts) {
  const sum = createHash('sha1');
  for (const part of parts) sum.update(part);
  return sum.digest('hex');
}

/** A hash of all bytes, and one of what the service takes for the same content: the size, the first and the last 64 KiB. */
export function hashesOf(file, stat) {
  const key = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
  if (!hashes.has(key)) {
    const all = fs.readFileSync(bytes(file));
    hashes.set(key, { content: hash(all), print: hash(`${all.length}:`, all.subarray(0, END), all.subarray(-END)) });
  }
  return hashes.get(key);
}

const kinds = [['isFile', 'file'], ['isDirectory', 'folder'], ['isSymbolicLink', 'link']];

/** One entry by itself, links not followed; null: nothing is there. */
export function look(file) {
  try {
    return fs.lstatSync(bytes(file), { bigint: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(error.code)) return null;
    throw error;
  }
}

export class Disk {
  /** path → {path, kind, stat, stamp, closed, ignored, wanted, root}, of everything below the roots */
  entries = new Map();

  constructor(roots) {
    this.roots = roots;
    for (const root of roots) this.walk(root, { root, levels: [], ignored: null, closed: null });
  }

  names(folder) {
    return fs.readdirSync(bytes(folder), { encoding: 'buffer' }).map(fromBytes).sort();
  }

  walk(folder, above) {
    const names = this.names(folder);
    const state = { ...above, levels: [...above.levels] };
    const rules = join(folder, '.reeldignore');
    if (look(rules)?.isFile()) state.levels.push({ folder, rules: parseRules(fs.readFileSync(bytes(rules), 'latin1')) });
    if (names.includes('.nomedia')) state.ignored ??= { pattern: '.nomedia', file: null };
    for (const name of names) this.take(join(folder, name), name, state);
  }

  take(path, name, { root, levels, ignored: above, closed }) {
    const stat = look(path);
    const kind = kinds.find(([is]) => stat[is]())?.[1] ?? 'other';
    const ignored = above ?? this.passedOver(levels, path, name, kind === 'folder');
    const wanted = EXTENSIONS.has(extensionOf(path)) && (kind === 'file' || kind === 'other');
    this.entries.set(path, { path, kind, stat, stamp: stampOf(stat), root, ignored, closed, wanted, readable: (stat.mode & 0o7n) !== 0n });
    if (kind !== 'folder') return;
    const shut = closed ?? ((stat.mode & 0o7n) === 0n ? path : null);
    this.walk(path, { root, levels, ignored, closed: shut });
  }

  passedOver(levels, path, name, directory) {
    const pattern = builtIn(name);
    if (pattern) return { pattern, file: null };
    const found = judge(levels, path, directory);
    return found && { pattern: found.rule.pattern, line: found.rule.line, file: join(found.folder, '.reeldignore') };
  }

  get(path) {
    return this.entries.get(path) ?? null;
  }

  files() {
    return [...this.entries.values()].filter(({ kind }) => kind === 'file');
  }

  folders() {
    return [...this.entries.values()].filter(({ kind }) => kind === 'folder');
  }

  /** Whether the service may look at what is at a path: no folder above it is closed to it. */
  canLook(path) {
    for (let folder = folderOf(path); folder; folder = folderOf(folder)) {
      const entry = this.entries.get(folder);
      if (entry?.kind === 'folder') return !entry.closed && entry.readable;
    }
    return true;
  }

  /** Whether a regular file that a scan wants is at a path. */
  holds(path) {
    const entry = this.get(path);
    return Boolean(entry && entry.kind === 'file' && entry.wanted && !entry.ignored);
  }

  /** Whether it can be seen that no such file is at a path: a folder in its place, even one that cannot be read, is none. */
  shows(path) {
    return !this.holds(path) && this.canLook(path);
  }

  print(entry) {
    return hashesOf(entry.path, entry.stat).print;
  }

  content(entry) {
    return hashesOf(entry.path, entry.stat).content;
  }
}
