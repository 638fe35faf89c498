// A scan finds the same whatever order a directory's entries are read in, and however many workers answer: one story on identical copies
// of a tree, each with its own order (tests/lib/readdir_shim.c) and number of workers, gives the same videos under the same names, the same moves, missing ones, failures and plan.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, build, tempDir } from '../lib/daemon.js';
import { checkResult } from '../lib/checks.js';
import { masters } from '../lib/trees.js';

const seeds = (process.env.REELD_READDIR_SEEDS ?? '0,1,2,3').split(',');
const names = ['b.mp4', 'a.mkv', 'C.mp4', '10.mp4', '9.mp4', 'z z.mkv', 'é.mp4', '-.mp4', 'new\nline.mp4', 'a.mp4', 'aa.mp4', 'm.mov'];

/** The tree that all copies are of: contents of one kind each, but for those that are said to be the same. */
function template(dir) {
  const [mp4, mkv] = masters().map((file) => fs.readFileSync(file));
  let made = 0;
  const put = (name, content = Buffer.concat([name.endsWith('mkv') ? mkv : mp4, Buffer.from(`content ${made++}`)])) => {
    const file = path.join(dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    fs.writeFileSync(file, content);
    fs.utimesSync(file, 1e9, 1e9 + made++);
  };
  for (const folder of ['films', 'series/one', 'series/two', 'a', 'quiet', 'rules', 'goes'])
    for (const name of names) put(path.join(folder, name));
  for (let i = 0; i < 300; i++) put(`many/${(i * 7919) % 300}.mp4`, Buffer.alloc(0));
  for (const name of ['twins/x.mp4', 'twins/y.mp4', 'twins/z.mp4']) put(name, Buffer.concat([mp4, Buffer.from('the same')]));
  put('quiet/.nomedia', Buffer.alloc(0));
  put('rules/.reeldignore', Buffer.from('*.mkv\n!z*\n/10.mp4\n'));
  put('rules/sub/.reeldignore', Buffer.from('!a.mkv\n'));
  put('rules/sub/a.mkv');
  put('broken.mp4', Buffer.from('no film at all'));
}

/** One copy and its daemon. */
class Copy {
  constructor(dir, seed) {
    this.tree = path.join(dir, `tree ${seed}`);
    execFileSync('cp', ['-a', path.join(dir, 'template'), this.tree]);
    this.seed = seed;
    this.labels = new Map(); // id → the path at which it came
    this.told = [];
  }

  async start() {
    const workers = String(1 + (Number(this.seed) % 4));
    const env = { LD_PRELOAD: path.join(build, 'readdir_shim.so'), REELD_READDIR_SEED: this.seed };
    this.daemon = await Daemon.start({ args: ['--root', this.tree, '--workers', workers, '--settle', '0'], env });
    this.channel = await this.daemon.channel('?topics=library');
  }

  at(name) {
    return path.join(this.tree, name);
  }

  relative(file) {
    return file === null || file === undefined ? null : path.relative(this.tree, file);
  }

  move(...list) {
    for (const [from, to] of list) fs.renameSync(this.at(from), this.at(to));
  }

  /** Another inode under the same name, as programs save; `cp` without times. */
  save(from, to) {
    fs.copyFileSync(this.at(from), this.at('fresh'));
    fs.renameSync(this.at('fresh'), this.at(to));
  }

  async list(query) {
    const { status, body } = await this.daemon.get(`/api/v1/videos?limit=1000&${query}`);
    assert.equal(status, 200, JSON.stringify(body));
    return body.videos;
  }

  /** Scans, and tells all that came of it in words that are the same for every copy. */
  async scan(name = '', more = {}) {
    const job = await this.daemon.wait(await this.daemon.scan(this.at(name), more));
    assert.equal(job.status, 'complete', JSON.stringify(job));
    const { errors, plan, refused, duration_ms, ...counts } = checkResult(job);
    const [there, away] = [await this.list('sort=name'), await this.list('sort=name&missing=true')];
    for (const { id, path: file } of [...there, ...away]) if (!this.labels.has(id)) this.labels.set(id, this.relative(file));
    const word = ({ id, path: file }) => [this.relative(file), this.labels.get(id)];
    this.told.push({
      counts, there: there.map(word), away: away.map(word).sort(), refused: refused && { reason: refused.reason, count: refused.count },
      errors: errors.map(({ path: file, code }) => [this.relative(file), code]).sort(),
      plan: plan?.map(({ outcome, path: file, from }) => [outcome, this.relative(file), this.relative(from)].join(' | ')).sort(),
    });
    return refused;
  }

  /** All that was said of videos, sorted. */
  async said() {
    const { body } = await this.daemon.get('/api/v1/changes?limit=1000');
    const last = body.changes.at(-1)?.event_id;
    await this.channel.find((frame) => frame.event_id === last);
    this.told.push(this.channel.frames.filter(({ type }) => type.startsWith('VIDEO_'))
      .map(({ type, payload }) => [type, this.relative(payload.path), this.relative(payload.from), this.labels.get(payload.id)].join(' | ')).sort());
  }

  async tell() {
    await this.start();
    await this.scan();
    // Names that change places, chains, folders that move; a link beside a move, which may be the video as well.
    this.move(['films/a.mkv', 'films/aside'], ['films/z z.mkv', 'films/a.mkv'], ['films/aside', 'films/z z.mkv']);
    this.move(['films/a.mp4', 'films/aside'], ['films/b.mp4', 'films/a.mp4'], ['films/aa.mp4', 'films/b.mp4'], ['films/aside', 'films/aa.mp4']);
    this.move(['series/one', 'series/three'], ['series/two', 'series/one'], ['a/9.mp4', 'series/9.mp4'], ['a/10.mp4', 'a/9.mp4'], ['goes/é.mp4', 'a/é 2.mp4']);
    fs.linkSync(this.at('films/C.mp4'), this.at('films/L.mp4'));
    this.move(['films/C.mp4', 'films/D.mp4']);
    fs.rmSync(this.at('twins/x.mp4'));
    for (const name of ['a/copy.mp4', 'films/copy.mp4']) fs.copyFileSync(this.at('twins/y.mp4'), this.at(name));
    fs.rmSync(this.at('quiet/.nomedia'));
    fs.writeFileSync(this.at('films/.nomedia'), '');
    // What only its content tells: films saved over others of their size, copies of those, and one that is found at two places.
    const copies = [['a/m.mov', 'goes/m 2.mov'], ['a/C.mp4', 'a/C 2.mp4'], ['a/z z.mkv', 'goes/z z.mkv'], ['goes/aa.mp4', 'a/aa 2.mp4'], ['goes/aa.mp4', 'a/aa 3.mp4']];
    for (const [from, to] of copies) this.save(from, to);
    for (const [from, to] of [['a/b.mp4', 'a/m.mov'], ['a/-.mp4', 'a/C.mp4'], ['a/a.mkv', 'a/z z.mkv'], ['a/b.mp4', 'goes/aa.mp4']]) this.save(from, to);
    await this.scan('', { dry_run: true });
    await this.scan('series/one', { recursive: false });
    await this.scan();
    fs.rmSync(this.at('films/.nomedia'));
    await this.scan('films');
    // Enough to be refused, in part elsewhere and in part gone.
    for (const name of names.slice(0, 7)) for (const folder of ['series/three', 'goes', 'quiet']) fs.rmSync(this.at(path.join(folder, name)), { force: true });
    this.move(['quiet', 'goes/quiet']);
    await this.scan('', { dry_run: true });
    const refused = await this.scan();
    assert.equal(refused?.reason, 'many');
    const [root] = (await this.daemon.get('/api/v1/roots')).body.roots;
    const { body } = await this.daemon.post(`/api/v1/roots/${root.number}/accept-missing`, { token: refused.token });
    assert.equal(body.missing, refused.count);
    await this.scan();
    await this.said();
    await this.daemon.cleanup();
    return this.told;
  }
}

test(`one story in ${seeds.length} orders of reading (REELD_READDIR_SEEDS=${seeds})`, async (t) => {
  const dir = tempDir();
  t.after(() => fs.rmSync(dir, { recursive: true }));
  template(path.join(dir, 'template'));
  let first;
  for (const seed of seeds) {
    const told = await new Copy(dir, seed).tell();
    first ??= told;
    told.forEach((one, i) => assert.deepEqual(one, first[i], `part ${i} with the order of seed ${seed}, against that of ${seeds[0]}`));
  }
});
