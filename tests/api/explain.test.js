// Why a file is in the catalogue, or is not: each status, each kind of rule, and what may be asked.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon } from '../lib/daemon.js';
import { explain, percent } from '../lib/explain.js';
import { asNobody, canDrop, openDir } from '../lib/nobody.js';
import { masters } from '../lib/trees.js';

const [mp4] = masters();
const old = new Date(1e12);

/** A folder of videos and texts, all quiet for years. */
function tree(t, videos, texts = {}) {
  const dir = path.join(openDir(t), 'tree');
  const put = (name, write) => {
    const file = path.join(dir, name);
    fs.mkdirSync(path.dirname(file), { recursive: true });
    write(file);
    fs.utimesSync(file, old, old);
  };
  fs.mkdirSync(dir);
  for (const name of videos) put(name, (file) => fs.copyFileSync(mp4, file));
  for (const [name, text] of Object.entries(texts)) put(name, (file) => fs.writeFileSync(file, text));
  return dir;
}

async function start(t, args, more = {}) {
  const daemon = await Daemon.start({ args, ...more });
  t.after(() => daemon.cleanup());
  return daemon;
}

async function scanned(t, dir, args = ['--root', dir], more = {}) {
  const daemon = await start(t, args, more);
  const job = await daemon.wait(await daemon.scan(dir));
  assert.equal(job.status, 'complete', job.error);
  return daemon;
}

/** Checks the members that are named; those of every answer that are not are null or false. */
async function check(daemon, file, status, expected = {}) {
  const said = await explain(daemon, file);
  const { path: named, message, video_id: video, ...rest } = said;
  assert.equal(said.path_uri ?? named, said.path_uri ? percent(file) : String(file));
  const whole = { status, code: null, error: null, rule: null, at: null, missing_since: null, changed: false, ...expected };
  if (expected.code) whole.error = rest.error;
  assert.deepEqual(rest, whole, message);
  assert.equal(video !== null, ['indexed', 'missing'].includes(status), message);
  return said;
}

test('every status', async (t) => {
  const dir = tree(t, ['good.mp4', 'sub/inside.mp4', 'gone.mp4'],
    { 'words.mp4': 'nothing of a film', 'empty.mkv': '', 'types.ts': 'export const answer: number = 42;\n'.repeat(99), 'notes.txt': 'x', 'bare': 'x' });
  const at = (name) => path.join(dir, name);
  execFileSync('mkfifo', [at('pipe.mp4')]);
  fs.symlinkSync('good.mp4', at('link.mp4'));
  fs.symlinkSync('sub', at('way'));
  fs.symlinkSync('nowhere', at('dangling'));
  const daemon = await scanned(t, dir, ['--root', dir, '--settle', '3600']);
  const [job] = (await daemon.get('/api/v1/jobs')).body.jobs;
  const { body: { failures } } = await daemon.get(`/api/v1/jobs/${job.job_id}/failures`);
  const failed = Object.fromEntries(failures.map(({ path: file, code, error }) => [path.basename(file), { code, error }]));

  const good = await check(daemon, at('good.mp4'), 'indexed');
  assert.equal((await daemon.get(`/api/v1/videos/${good.video_id}`)).body.path, at('good.mp4'));
  for (const name of ['words.mp4', 'empty.mkv']) {
    const { error, message } = await check(daemon, at(name), 'failed', { code: failed[name].code });
    assert.equal(error, failed[name].error);
    assert.ok(message.includes(error) && message.includes('retry_failed'), message);
  }
  await check(daemon, at('types.ts'), 'not_media');
  for (const name of ['notes.txt', 'bare']) await check(daemon, at(name), 'not_a_video');
  assert.equal(failed['pipe.mp4'].code, 'NOT_A_FILE');
  await check(daemon, at('pipe.mp4'), 'not_a_file', { code: 'NOT_A_FILE' });
  for (const name of ['link.mp4', 'way', 'dangling']) await check(daemon, at(name), 'link');
  for (const name of ['way/inside.mp4', 'way/none.mp4']) await check(daemon, at(name), 'link', { at: at('way') });
  for (const name of ['', 'sub']) await check(daemon, path.join(dir, name), 'folder');
  for (const name of ['none.mp4', 'good.mp4/x.mp4']) {
    const { message } = await check(daemon, at(name), 'not_found');
    assert.ok(message.includes(at(name)), message);
  }
  await check(daemon, at('none/deeper/x.mp4'), 'not_found', { at: at('none') });
  await check(daemon, at(`${'n'.repeat(300)}/x.mp4`), 'not_found', { at: at('n'.repeat(300)) });
  for (const file of ['/', '/etc/passwd', '/etc/nothing', path.dirname(dir), `${dir}2`, `${dir}2/good.mp4`]) await check(daemon, file, 'outside_roots');

  fs.copyFileSync(mp4, at('late.mp4'));
  await check(daemon, at('late.mp4'), 'settling', { code: 'SETTLING' });
  fs.utimesSync(at('late.mp4'), old, old);
  await check(daemon, at('late.mp4'), 'not_scanned');
  const future = new Date(Date.now() + 1e9);
  fs.utimesSync(at('late.mp4'), future, future);
  await check(daemon, at('late.mp4'), 'not_scanned');
  fs.rmSync(at('late.mp4')); // or the scan below would find in it what is gone

  const { video_id: gone } = await check(daemon, at('gone.mp4'), 'indexed');
  fs.rmSync(at('gone.mp4'));
  assert.match((await check(daemon, at('gone.mp4'), 'indexed', { changed: true })).message, /not at this path any more/);
  await daemon.wait(await daemon.scan(dir));
  const said = await explain(daemon, at('gone.mp4'));
  assert.equal(said.video_id, gone);
  assert.ok(said.missing_since);
  await check(daemon, at('gone.mp4'), 'missing', { missing_since: said.missing_since });
  fs.mkdirSync(at('gone.mp4'));
  assert.match((await check(daemon, at('gone.mp4'), 'missing', { missing_since: said.missing_since, changed: true })).message, /not what it was/);
  fs.rmdirSync(at('gone.mp4'));
  fs.copyFileSync(mp4, at('gone.mp4'));
  assert.match((await check(daemon, at('gone.mp4'), 'missing', { missing_since: said.missing_since, changed: true })).message, /scan it/);
  await daemon.wait(await daemon.scan(at('gone.mp4')));
  assert.equal((await check(daemon, at('gone.mp4'), 'indexed')).video_id, gone);
});

test('what may not be read is said, and which folder it is', { skip: !canDrop() }, async (t) => {
  const dir = tree(t, ['secret.mp4', 'closed/a.mp4', 'blind/b.mp4', 'blind/deep/c.mp4', '@eaDir/closed/d.mp4']);
  const at = (name) => path.join(dir, name);
  const modes = { 'secret.mp4': 0o000, closed: 0o000, blind: 0o711, '@eaDir/closed': 0o000 };
  for (const [name, mode] of Object.entries(modes)) fs.chmodSync(at(name), mode);
  const daemon = await scanned(t, dir, ['--root', dir], asNobody(path.dirname(dir)));
  const unreadable = { code: 'UNREADABLE' };
  await check(daemon, at('secret.mp4'), 'unreadable', unreadable);
  await check(daemon, at('closed'), 'unreadable', unreadable);
  await check(daemon, at('blind'), 'unreadable', unreadable);
  for (const name of ['a.mp4', 'none.mp4', 'none/x.mp4']) await check(daemon, at(`closed/${name}`), 'unreadable', { ...unreadable, at: at('closed') });
  for (const name of ['b.mp4', 'deep', 'deep/c.mp4']) await check(daemon, at(`blind/${name}`), 'unreadable', { ...unreadable, at: at('blind') });
  await check(daemon, at('blind/none.mp4'), 'not_found');
  const rule = { pattern: '@eaDir', file: null, line: null };
  await check(daemon, at('@eaDir/closed/d.mp4'), 'ignored', { rule, at: at('@eaDir') });
  for (const name of Object.keys(modes)) fs.chmodSync(at(name), 0o755);
  await daemon.wait(await daemon.scan(dir));
  for (const name of ['secret.mp4', 'closed/a.mp4', 'blind/deep/c.mp4']) await check(daemon, at(name), 'indexed');
  fs.chmodSync(at('secret.mp4'), 0o000);
  fs.chmodSync(at('closed'), 0o000);
  assert.match((await check(daemon, at('secret.mp4'), 'indexed')).message, /may not be read/);
  assert.match((await check(daemon, at('closed/a.mp4'), 'indexed', { at: at('closed') })).message, /may not be read/);
  await daemon.wait(await daemon.scan(dir));
  await check(daemon, at('closed/a.mp4'), 'indexed', { at: at('closed') });
});

test('names that are passed over by themselves, and the pattern that each is kept by', async (t) => {
  const names = {
    '.hidden.mp4': '.*', '.dir/a.mp4': '.*', '@eaDir/b.mp4': '@eaDir', '#recycle/deep/c.mp4': '#recycle', 'lost+found/d.mp4': 'lost+found',
    'e.mp4.part': '*.part', 'new.PART/f.mp4': '*.part', 'g.mp4.crdownload': '*.crdownload', 'h.tmp': '*.tmp', 'sub/.Trash-1000/i.mp4': '.*',
    '.nomedia.mp4': '.*',
  };
  const dir = tree(t, Object.keys(names));
  const daemon = await scanned(t, dir);
  const at = (name) => path.join(dir, name);
  for (const [name, pattern] of Object.entries(names)) {
    const ignored = name.split('/').findIndex((part) => /^[.@#]|^lost\+found$|\.(part|crdownload|tmp)$/i.test(part));
    const above = name.split('/').slice(0, ignored + 1).join('/');
    const { message } = await check(daemon, at(name), 'ignored',
      { rule: { pattern, file: null, line: null }, at: above === name ? null : at(above) });
    assert.ok(message.includes(`--keep '${pattern}'`) && message.includes(at(above)), message);
  }
  assert.equal((await daemon.videos()).length, 0);
  const keep = Object.values(names).flatMap((pattern) => ['--keep', pattern]);
  const keeping = await scanned(t, dir, ['--root', dir, ...keep]);
  for (const name of Object.keys(names)) {
    if (name === 'sub/.Trash-1000/i.mp4')
      await check(keeping, at(name), 'ignored', { rule: { pattern: '.Trash-*', file: null, line: null }, at: at('sub/.Trash-1000') });
    else await check(keeping, at(name), name.endsWith('.mp4') ? 'indexed' : 'not_a_video');
  }
});

test('rules of files: which line of which file', async (t) => {
  const long = 'x'.repeat(200);
  const dir = tree(t, ['trailer.mp4', 'sub/trailer.mp4', 'sub/kept.mp4', 'sub/deep/other.mp4', 'extras/a.mp4', 'extras/deep/b.mp4', 'quiet/c.mp4',
    'quiet/deep/d.mp4', `${long}.mp4`, 'both/e.mp4', 'samples'], {
    '.reeldignore': `\uFEFF# first\ntrailer.mp4\r\n\n/extras/\n${long}*\nkept.mp4\nsamples/\n`, 'sub/.reeldignore': '!kept.mp4\n\n# no\nother.*',
    'quiet/.nomedia': '', 'both/.nomedia': '', 'both/.reeldignore': 'e.mp4\n',
  });
  const daemon = await scanned(t, dir);
  const at = (name) => path.join(dir, name);
  const rule = (pattern, file, line) => ({ rule: { pattern, file: at(file), line } });
  for (const [name, expected] of Object.entries({
    'trailer.mp4': rule('trailer.mp4', '.reeldignore', 2),
    'sub/trailer.mp4': rule('trailer.mp4', '.reeldignore', 2),
    'sub/deep/other.mp4': rule('other.*', 'sub/.reeldignore', 4),
    extras: rule('/extras/', '.reeldignore', 4),
    'extras/a.mp4': { ...rule('/extras/', '.reeldignore', 4), at: at('extras') },
    'extras/deep': { ...rule('/extras/', '.reeldignore', 4), at: at('extras') },
    'extras/deep/b.mp4': { ...rule('/extras/', '.reeldignore', 4), at: at('extras') },
    [`${long}.mp4`]: rule('x'.repeat(127), '.reeldignore', 5),
    quiet: rule('.nomedia', 'quiet/.nomedia', null),
    'quiet/c.mp4': { ...rule('.nomedia', 'quiet/.nomedia', null), at: at('quiet') },
    'quiet/deep/d.mp4': { ...rule('.nomedia', 'quiet/.nomedia', null), at: at('quiet') },
    'both/e.mp4': { ...rule('.nomedia', 'both/.nomedia', null), at: at('both') },
  })) {
    const { message } = await check(daemon, at(name), 'ignored', expected);
    assert.ok(message.includes(expected.rule.file), message);
    if (expected.rule.line) assert.ok(message.includes(`line ${expected.rule.line} of`), message);
  }
  await check(daemon, at('sub/kept.mp4'), 'indexed');
  await check(daemon, at('extras/none.mp4'), 'not_found');
  // A rule for folders alone, and a file of that name.
  await check(daemon, at('samples'), 'not_a_video');

  // Whoever asks for a file by name gets it, until a scan of the whole comes by.
  await daemon.wait(await daemon.scan(at('extras/a.mp4')));
  const expected = { ...rule('/extras/', '.reeldignore', 4), at: at('extras') };
  assert.match((await check(daemon, at('extras/a.mp4'), 'indexed', expected)).message, /hides it as missing/);
  await daemon.wait(await daemon.scan(dir));
  const { missing_since: since } = await explain(daemon, at('extras/a.mp4'));
  const { message } = await check(daemon, at('extras/a.mp4'), 'missing', { ...expected, missing_since: since, changed: true });
  assert.match(message, /line 4 of .*take it away/);

  const keeping = await scanned(t, dir, ['--root', dir, '--keep', '.reeldignore', '--keep', '.nomedia']);
  for (const name of ['trailer.mp4', 'extras/deep/b.mp4', 'both/e.mp4']) await check(keeping, at(name), 'indexed');
  await check(keeping, at('quiet'), 'folder');
});

test('rules hold from the innermost root down; above the outermost nothing has a say', async (t) => {
  const dir = tree(t, ['.asked/a.mp4', '.asked/sub/.b.mp4', '.asked/x.mp4', 'outer/y.mp4'],
    { '.reeldignore': 'x.mp4\n', 'outer/.nomedia': '' });
  const at = (name) => path.join(dir, name);
  const inner = await scanned(t, at('.asked'), ['--root', dir, '--root', at('.asked')]);
  await check(inner, at('.asked/a.mp4'), 'indexed');
  await check(inner, at('.asked/x.mp4'), 'ignored', { rule: { pattern: 'x.mp4', file: at('.reeldignore'), line: 1 } });
  await check(inner, at('.asked/sub/.b.mp4'), 'ignored', { rule: { pattern: '.*', file: null, line: null } });
  await check(inner, at('.asked'), 'folder');
  // Without configured roots: a folder that was scanned is one.
  const free = await start(t, []);
  await check(free, at('.asked/a.mp4'), 'ignored', { rule: { pattern: '.*', file: null, line: null }, at: at('.asked') });
  await free.wait(await free.scan(at('.asked')));
  fs.copyFileSync(mp4, at('.asked/new.mp4'));
  fs.utimesSync(at('.asked/new.mp4'), old, old);
  await check(free, at('.asked/new.mp4'), 'not_scanned');
  await check(free, at('.asked/a.mp4'), 'indexed');
  const below = await start(t, ['--root', at('outer')]);
  await check(below, at('outer/y.mp4'), 'ignored', { rule: { pattern: '.nomedia', file: at('outer/.nomedia'), line: null }, at: at('outer') });
  const single = await start(t, ['--root', at('.asked')]);
  await check(single, at('.asked/x.mp4'), 'not_scanned');
});

test('links that are followed', async (t) => {
  const dir = tree(t, ['real/a.mp4', 'real/b.mp4', 'z.mp4'], { 'real/.reeldignore': 'b.mp4\n' });
  const at = (name) => path.join(dir, name);
  const outside = tree(t, ['c.mp4']);
  fs.symlinkSync('real', at('all'));
  fs.symlinkSync('../z.mp4', at('real/z.mp4'));
  fs.symlinkSync(outside, at('out'));
  fs.symlinkSync(path.join(outside, 'c.mp4'), at('c.mp4'));
  fs.symlinkSync('nowhere', at('dangling.mp4'));
  const daemon = await scanned(t, dir, ['--root', dir, '--follow-symlinks', 'yes']);
  // "all" comes before "real": that is the way by which the files are known.
  await check(daemon, at('all/a.mp4'), 'indexed');
  await check(daemon, at('all/z.mp4'), 'indexed');
  await check(daemon, at('all/b.mp4'), 'ignored', { rule: { pattern: 'b.mp4', file: at('all/.reeldignore'), line: 1 } });
  await check(daemon, at('real/a.mp4'), 'not_scanned');
  await check(daemon, at('all'), 'folder');
  for (const name of ['c.mp4', 'dangling.mp4', 'out']) await check(daemon, at(name), 'link');
  await check(daemon, at('out/c.mp4'), 'link', { at: at('out') });
});

test('a file that changed', async (t) => {
  const dir = tree(t, ['a.mp4', 'b.mp4'], { 'bad.mp4': 'nothing of a film', 'types.ts': 'export const answer: number = 42;\n'.repeat(99) });
  const at = (name) => path.join(dir, name);
  const daemon = await scanned(t, dir, ['--root', dir, '--settle', '3600']);
  const later = new Date(11e11);
  fs.utimesSync(at('a.mp4'), later, later);
  assert.match((await check(daemon, at('a.mp4'), 'indexed', { changed: true })).message, /changed since/);
  fs.utimesSync(at('bad.mp4'), later, later);
  assert.match((await check(daemon, at('bad.mp4'), 'failed', { changed: true, code: 'NOT_MEDIA' })).message, /changed since/);
  fs.utimesSync(at('types.ts'), later, later);
  await check(daemon, at('types.ts'), 'not_media', { changed: true });
  await daemon.wait(await daemon.scan(dir));
  await check(daemon, at('a.mp4'), 'indexed');
  await check(daemon, at('bad.mp4'), 'failed', { code: 'NOT_MEDIA' });
  await check(daemon, at('types.ts'), 'not_media');
  fs.writeFileSync(at('bad.mp4'), 'being written');
  await check(daemon, at('bad.mp4'), 'settling', { changed: true, code: 'SETTLING' });
  // Indexed once, and then it failed: it is still in the catalogue, as it was.
  fs.writeFileSync(at('b.mp4'), 'nothing of a film');
  fs.utimesSync(at('b.mp4'), old, old);
  await check(daemon, at('b.mp4'), 'indexed', { changed: true });
  fs.utimesSync(at('bad.mp4'), old, old);
  await daemon.wait(await daemon.scan(dir));
  const { message, error } = await check(daemon, at('b.mp4'), 'indexed', { code: 'NOT_MEDIA' });
  assert.ok(message.includes(error), message);
  fs.rmSync(at('bad.mp4'));
  await check(daemon, at('bad.mp4'), 'not_found', { changed: true });
});

test('names that were made to hurt', async (t) => {
  const dir = tree(t, []);
  const join = (name) => Buffer.concat([Buffer.from(`${dir}/`), Buffer.from(name)]);
  const names = ['with space.mp4', 'new\nline.mp4', 'esc\u001b[31m.mp4', '%00%2e%2e.mp4', "'; DROP TABLE videos; --.mp4", '影片 🎬.mp4', '-rf.mp4',
    Buffer.from([0x63, 0xe9, 0x2e, 0x6d, 0x70, 0x34]), Buffer.from([0xff, 0xfe, 0x2e, 0x6d, 0x70, 0x34]), `${'n'.repeat(251)}.mp4`, '%s%n%d.mp4',
    '..mp4.mp4', '*.mp4', '[a].mp4', 'back\\slash.mp4', 'a&path=b.mp4', 'a+b.mp4'];
  for (const name of names) fs.copyFileSync(mp4, join(name));
  const folder = join(Buffer.from([0xe9, 0x2f]));
  fs.mkdirSync(folder);
  fs.copyFileSync(mp4, Buffer.concat([folder, Buffer.from('a.mp4')]));
  fs.writeFileSync(Buffer.concat([folder, Buffer.from('.reeldignore')]), Buffer.from([0xe9, 0x2a, 0x0a, 0x61, 0x2a, 0x0a]));
  fs.copyFileSync(mp4, Buffer.concat([folder, Buffer.from([0xe9, 0x2e, 0x6d, 0x70, 0x34])]));
  const daemon = await scanned(t, dir);
  for (const name of names) {
    const hidden = name === '..mp4.mp4';
    const said = await explain(daemon, join(name));
    assert.equal(said.status, hidden ? 'ignored' : 'indexed', percent(name));
    const lossy = new TextDecoder().decode(join(name));
    assert.equal(said.path, lossy);
    assert.equal(said.path_uri, Buffer.from(lossy).equals(join(name)) ? undefined : percent(join(name)));
  }
  const said = await explain(daemon, Buffer.concat([folder, Buffer.from([0xe9, 0x2e, 0x6d, 0x70, 0x34])]));
  assert.deepEqual(said.rule, { pattern: '\ufffd*', file: `${dir}/\ufffd/.reeldignore`, file_uri: `${percent(dir)}/%E9/.reeldignore`, line: 1 });
  assert.match((await explain(daemon, Buffer.concat([folder, Buffer.from('a.mp4')]))).message, /line 2 of .*\ufffd/);
  // Steps that say nothing, and that go up: as text, and never out of the roots.
  for (const asked of [`${dir}//with space.mp4`, `${dir}/./with space.mp4`, `${dir}/none/../with space.mp4`, `${dir}/x/y/../../with space.mp4/`]) {
    const { status, path: shown } = await explain(daemon, asked);
    assert.deepEqual([status, shown], ['indexed', `${dir}/with space.mp4`]);
  }
  for (const up of [`${dir}/../../etc/passwd`, `${dir}/../../../../../../etc/passwd`, `${dir}/..`, `${dir}/../tree2`])
    assert.equal((await explain(daemon, up)).status, 'outside_roots', up);
  // Deeper than any system call takes a path.
  const deep = `${dir}${'/d'.repeat(2500)}`;
  assert.equal((await explain(daemon, `${deep}/x.mp4`)).status, 'not_found');
  execFileSync('sh', ['-c', `cd "$0" && i=0 && while [ $i -lt 250 ]; do mkdir ${'d'.repeat(20)} && cd -P ${'d'.repeat(20)} && i=$((i+1)); done && cp "$1" deep.mp4`, dir, mp4]);
  const file = `${dir}${`/${'d'.repeat(20)}`.repeat(250)}/deep.mp4`;
  await daemon.wait(await daemon.scan(dir));
  assert.equal((await explain(daemon, file)).status, 'indexed');
});

test('outside the roots nothing of the disk is told', async (t) => {
  const dir = tree(t, ['a.mp4']);
  const daemon = await start(t, ['--root', dir]);
  const told = [];
  for (const file of ['/etc/passwd', '/etc/none', '/proc/1/root/x.mp4', '/dev/null', '/nowhere/at/all', `${path.dirname(dir)}/.hidden.mp4`]) {
    const { path: _, ...rest } = await explain(daemon, file);
    told.push(rest);
  }
  for (const one of told) assert.deepEqual(one, told[0]);
});

test('a question of every wrong shape', async (t) => {
  const dir = tree(t, ['a.mp4']);
  const daemon = await start(t, ['--root', dir]);
  const file = encodeURIComponent(path.join(dir, 'a.mp4'));
  for (const [query, code, field] of [
    ['', 'MISSING_PARAMETER', 'path'], [`path=${file}&path_uri=${file}`, 'CONFLICTING_PARAMETERS', 'path'], ['path=', 'BAD_PATH', 'path'],
    ['path=relative/a.mp4', 'BAD_PATH', 'path'], ['path=./a.mp4', 'BAD_PATH', 'path'], ['path=~/a.mp4', 'BAD_PATH', 'path'],
    ['path_uri=', 'BAD_PATH', 'path_uri'], ['path_uri=a', 'BAD_PATH', 'path_uri'], ['path_uri=/%25zz', 'BAD_PARAMETER', 'path_uri'],
    ['path_uri=/a%2500b', 'BAD_PARAMETER', 'path_uri'], ['path_uri=/%25', 'BAD_PARAMETER', 'path_uri'], [`path=${file}&path=${file}`, 'REPEATED_PARAMETER', 'path'],
    [`path=${file}&why=1`, 'UNKNOWN_PARAMETER', 'why'],
  ]) {
    const { status, body } = await daemon.get(`/api/v1/explain?${query}`);
    assert.deepEqual([status, body.code, body.field], [400, code, field], query);
    assert.ok(body.detail.length > 10);
  }
  for (const method of ['POST', 'DELETE', 'PUT']) {
    const answer = await daemon.request(method, `/api/v1/explain?path=${file}`);
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.get('allow'), 'GET, HEAD');
  }
  assert.equal((await daemon.request('HEAD', `/api/v1/explain?path=${file}`)).status, 200);
});
