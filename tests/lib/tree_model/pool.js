// The contents that files of the model have: short real videos of a dozen containers, and what was made of them.
import fs from 'node:fs';
import { masters } from '../trees.js';

const PADDING = 200 * 1024;

/** A box of ISO media that players pass over, with something of the test's own in the middle of it. */
function free(middle) {
  const box = Buffer.alloc(PADDING);
  box.writeUInt32BE(PADDING, 0);
  box.write('free', 4, 'latin1');
  box.fill(middle, PADDING / 2 - 64, PADDING / 2 + 64);
  return box;
}

export class Pool {
  constructor(next) {
    this.next = next;
    this.contents = masters().map((file) => ({ bytes: fs.readFileSync(file), extension: file.slice(file.lastIndexOf('.') + 1) }));
    const [mp4] = this.contents;
    // These differ in the middle alone, which the service does not look at to know content again.
    this.alike = ['one', 'two'].map((middle) => ({ bytes: Buffer.concat([mp4.bytes, free(middle)]), extension: 'mp4' }));
    this.contents.push(...this.alike);
    this.garbage = [1, 2, 3].map((n) => Buffer.from(Array.from({ length: 700 * n }, (_, i) => (i * 7919 * n) & 0xff)));
  }

  pick(list) {
    return list[Math.floor(this.next() * list.length)];
  }

  content() {
    return this.pick(this.contents);
  }

  /** No videos, whatever they are called. */
  broken() {
    return this.pick([Buffer.alloc(0), Buffer.from('no film at all\n'), this.garbage[0], this.contents[0].bytes.subarray(0, 200)]);
  }
}

const strange = ['new\nline', 'caf\xe9', '\xff\xfe', '\xc0\xaf', 'tab\there', '"quoted\'', 'back\\slash', '%00%2e', '-rf', ' space ', '\xe5\xbd\xb1\xe7\x89\x87',
  'UPPER', 'esc\x1b[31m', '[set]', 'star*', '#hash', '!bang', 'e\xcc\x81', '$(x)', '\xed\xa0\x80', 'a.mp4'];
const ignored = ['.hidden', 'x.part', '.~lock', 'y.tmp', 'z.crdownload'];
const folders = ['films', 'series', 'a', 'b', 'deep', 'extras', 'Season 1', 'new\nfolder', 'f\xfclder', '@eaDir', '#recycle', 'lost+found', '.hide', 'name.mp4', 'old.part'];

/** A name for a file, mostly plain, from few stems so that rules and other names meet it again. */
export function fileName(next, extension) {
  const kind = next();
  const stem = kind < 0.6 ? `${'abcdefgh'[Math.floor(next() * 8)]}${Math.floor(next() * 12)}`
    : kind < 0.9 ? strange[Math.floor(next() * strange.length)]
      : kind < 0.94 ? 'n'.repeat(254 - extension.length)
        : ignored[Math.floor(next() * ignored.length)];
  return next() < 0.05 ? `${stem}.${extension.toUpperCase()}` : `${stem}.${extension}`;
}

export const folderName = (next) => folders[Math.floor(next() * (next() < 0.7 ? 7 : folders.length))];

const rules = ['*.mkv', 'a*.mp4', '/films/', 'extras/', '!a1.mp4', 'deep/*.mp4', '**/b1.avi', '# a remark', '!*.mkv', '/a/b1.mp4', 'b?.mp4', 'Season 1/', '*.webm ', '!deep/', 'c*'];

/** What a .reeldignore may say. */
export function ruleText(next) {
  const lines = Array.from({ length: 1 + Math.floor(next() * 3) }, () => rules[Math.floor(next() * rules.length)]);
  return lines.join(next() < 0.2 ? '\r\n' : '\n') + (next() < 0.8 ? '\n' : '');
}
