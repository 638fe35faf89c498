// Folders for tests: small real videos of several containers, damaged copies, names that are hard to handle.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { build, corpusDir, makeVideo } from './daemon.js';

/** A seeded generator of numbers in [0, 1): the same seed gives the same run (mulberry32). */
export function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const kinds = [
  ['a.mp4', []], ['b.mkv', []], ['c.mov', []], ['d.avi', ['-c:v', 'mpeg4']], ['e.webm', ['-c:v', 'libvpx', '-c:a', 'libvorbis']],
  ['f.ts', []], ['g.mpg', ['-c:v', 'mpeg2video']], ['h.flv', ['-c:v', 'flv', '-ar', '44100']], ['i.ogv', ['-c:v', 'libtheora', '-c:a', 'libvorbis']],
  ['j.wmv', ['-c:v', 'wmv2', '-c:a', 'wmav2']], ['k.m4v', ['-f', 'mp4']], ['l.3gp', ['-c:v', 'h263', '-s', '352x288', '-ar', '8000', '-ac', '1', '-c:a', 'aac']],
];

/** Where they are kept: each test file is a process, and making them takes longer than many a test. */
const kept = path.join(build, `masters-${createHash('sha256').update(JSON.stringify(kinds)).digest('hex').slice(0, 8)}`);

/** Paths of a dozen short real videos, one a container, for reading; made once a build, by whoever is first. */
export function masters() {
  if (!fs.existsSync(kept)) {
    const dir = fs.mkdtempSync(`${kept}-`);
    for (const [name, extra] of kinds) makeVideo(path.join(dir, name), { seconds: 0.4, extra });
    try {
      fs.renameSync(dir, kept);
    } catch (error) {
      if (!['ENOTEMPTY', 'EEXIST'].includes(error.code)) throw error;
      fs.rmSync(dir, { recursive: true }); // another was
    }
  }
  return kinds.map(([name]) => path.join(kept, name));
}

/** Fills `folder` with `count` copies of masters (or of the given files), 20 a sub-folder; gives their paths. */
export function fill(folder, count, files = masters()) {
  const made = [];
  for (let i = 0; i < count; i++) {
    const from = files[i % files.length];
    const dir = path.join(folder, `folder ${Math.floor(i / 20)}`);
    if (i % 20 === 0) fs.mkdirSync(dir, { recursive: true });
    const file = path.join(dir, `${i}${path.extname(from)}`);
    fs.copyFileSync(from, file);
    made.push(file);
  }
  return made;
}

/** Real files of the corpus with a video extension, or the masters where there is no corpus. */
export function realFiles() {
  const corpus = corpusDir();
  if (!corpus) return masters();
  return execFileSync('find', [corpus, '-type', 'f', '-not', '-name', '*.json'], { encoding: 'utf8' })
    .trim().split('\n').filter((file) => /\.(mp4|mkv|avi|mov|webm|m4v|ts|mpg|flv|ogv|3gp|mxf)$/i.test(file)).sort();
}

/** A copy of the bytes with a few bits flipped, or cut short, or with a hole of zeros: what `next` (random) says. */
export function damage(bytes, next) {
  const copy = Buffer.from(bytes);
  const kind = Math.floor(next() * 4);
  if (kind === 0) return copy.subarray(0, Math.floor(next() * copy.length));
  if (kind === 1) {
    const start = Math.floor(next() * copy.length);
    return copy.fill(0, start, Math.min(copy.length, start + Math.floor(next() * 4096)));
  }
  // Headers are where parsers live: most flips go there.
  const range = kind === 2 ? Math.min(copy.length, 2048) : copy.length;
  for (let i = 0; i < 1 + next() * 20; i++) copy[Math.floor(next() * range)] ^= 1 << Math.floor(next() * 8);
  return copy;
}

const HOLD = Buffer.from('ATTACK:hold\n');

/**
 * A video at which a worker of reeld-worker-attack rests, so that a scan or a job of pictures, with another worker for all else,
 * lasts for as long as a test needs it to. Makes `file`, or takes the one that is there; gives what lets it go on: then it is the
 * video that it would have been, and by its size and times nobody can tell that it was held.
 */
export function hold(file) {
  if (!fs.existsSync(file)) {
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.copyFileSync(masters()[0], file);
    fs.utimesSync(file, 1e9, 1e9);
  }
  const fd = fs.openSync(file, 'r+');
  const { atime, mtime } = fs.fstatSync(fd);
  const head = Buffer.alloc(HOLD.length);
  fs.readSync(fd, head, 0, head.length, 0);
  const write = (bytes) => {
    fs.writeSync(fd, bytes, 0, bytes.length, 0);
    fs.futimesSync(fd, atime, mtime);
  };
  write(HOLD);
  return () => {
    write(head);
    fs.closeSync(fd);
  };
}

/** Arguments of a daemon whose workers rest where hold() says, and are not stopped for it. */
export const holding = ['--worker-program', path.join(build, 'reeld-worker-attack'), '--file-timeout', '600'];
