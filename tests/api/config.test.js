// Settings: where each may be said and which goes first; what is refused, with exit code 2 and one line that names it.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { Daemon, build, tempDir, top } from '../lib/daemon.js';

const dir = tempDir();
test.after(() => fs.rmSync(dir, { recursive: true }));

function write(name, text) {
  const file = path.join(dir, name);
  fs.writeFileSync(file, text);
  return file;
}

/** Runs the program to its end, with a catalogue of its own. */
function run(args, env = {}) {
  const base = ['--database', path.join(dir, 'c.db'), '--web', path.join(top, 'web'), '--port', '0'];
  return spawnSync(path.join(build, 'reeld'), [...base, ...args],
    { encoding: 'utf8', env: { ...process.env, ...env }, timeout: 120000 });
}

test('--version and --help answer and end', () => {
  assert.match(run(['--version']).stdout, /^reeld \d+\.\d+\.\d+\n$/);
  const help = run(['--help']);
  assert.equal(help.status, 0);
  for (const word of ['--listen', '--root', '--token-file', '--workers', '--log-level', 'REELD_<SECTION>_<KEY>']) {
    assert.ok(help.stdout.includes(word), word);
  }
});

const token = write('token', 'a-token-of-enough-length\n');
const refused = [
  ['a port out of range', ['--port', '70000'], {}, /--port.*65535/],
  ['a port that is no number', ['--port', '80x'], {}, /--port.*whole number/],
  ['an empty value', ['--listen', ''], {}, /--listen.*empty/],
  ['an address that is none', ['--listen', 'localhost'], {}, /--listen.*not an IPv4 or IPv6/],
  ['an unknown option', ['--prot', '1'], {}, /prot/],
  ['a folder without --root', ['/'], {}, /--root/],
  ['a log level that is none', ['--log-level', 'loud'], {}, /--log-level.*error, warn, info or debug/],
  ['a yes or no that is neither', ['--follow-symlinks', 'maybe'], {}, /--follow-symlinks.*yes or no/],
  ['a number of days that is none', ['--purge-missing-days', 'soon'], {}, /--purge-missing-days.*must be a number/],
  ['a number of days below none', [], { REELD_LIBRARY_PURGE_MISSING_DAYS: '-1' }, /PURGE_MISSING_DAYS.*from 0 to 36500/],
  ['days for ever', ['--config', write('f.conf', '[library]\npurge_missing_days = inf\n')], {}, /\[library\] purge_missing_days.*number/],
  ['a name to keep that is not ignored', [], { REELD_IGNORE_KEEP: '@eaDir:*.mp4' }, /--keep: '\*\.mp4'.* \.\* @eaDir #recycle .*\.reeldignore/],
  ['a root that is a file', ['--root', token], {}, /--root.*not a folder/],
  ['others may reach it, without roots', ['--listen', '0.0.0.0', '--token-file', token], {}, /--listen.*--root/],
  ['others may reach it, without a token', ['--listen', '0.0.0.0', '--root', dir], {}, /--listen.*--token-file/],
  ['others may reach it over IPv6', ['--listen', '::', '--root', dir], {}, /--listen.*--token-file/],
  ['a token that is too short', ['--token-file', write('short', 'abc\n')], {}, /--token-file.*16/],
  ['a token file that is not there', ['--token-file', path.join(dir, 'none')], {}, /--token-file.*No such file/],
  ['a page that is not there', ['--web', dir], {}, /--web.*index\.html/],
  ['a worker that is not there', ['--worker-program', path.join(dir, 'none')], {}, /--worker-program/],
  ['a bad value in the environment', [], { REELD_WORKERS_COUNT: 'many' }, /REELD_WORKERS_COUNT/],
  ['a file that is not there', ['--config', path.join(dir, 'none.conf')], {}, /none\.conf.*No such file/],
  ['an unknown key in the file', ['--config', write('a.conf', '[server]\nprot = 1\n')], {}, /\[server\] prot.*not a setting/],
  ['a bad value in the file', ['--config', write('b.conf', '[workers]\ncount = 99\n')], {}, /\[workers\] count.*1 to 16/],
  ['a mode of watching that is none', ['--watch', 'sometimes'], {}, /--watch.*auto, watch, poll or off/],
  ['a line that is none', ['--config', write('c.conf', '[server]\nwhat\n')], {}, /c\.conf.*line 2/],
];
for (const [name, args, env, line] of refused) {
  test(`refused: ${name}`, () => {
    const { status, stderr, stdout } = run(args, env);
    assert.equal(status, 2, stderr);
    assert.match(stderr, line);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
    assert.equal(stdout, '');
  });
}

test('the command line goes before the environment, the environment before the file', async () => {
  const roots = ['one', 'two', 'three'].map((name) => {
    const root = path.join(dir, name);
    fs.mkdirSync(root);
    return root;
  });
  const config = write('d.conf', `[library]\nroot = ${roots[0]}\n[workers]\ncount = 1\n`);
  const allowed = async (args, env) => {
    const daemon = await Daemon.start({ args: ['--config', config, ...args], env });
    const answers = await Promise.all(roots.map((root) => daemon.post('/api/v1/videos/scan', { path: root })));
    await daemon.cleanup();
    return answers.map((answer) => answer.status);
  };
  assert.deepEqual(await allowed([], {}), [202, 403, 403]);
  assert.deepEqual(await allowed([], { REELD_LIBRARY_ROOT: roots[1] }), [403, 202, 403]);
  assert.deepEqual(await allowed(['--root', roots[2]], { REELD_LIBRARY_ROOT: roots[1] }), [403, 403, 202]);
  assert.deepEqual(await allowed(['--root', roots[2], '--root', roots[0]], {}), [202, 403, 202]);
});

test('every setting of conf/reeld.conf is one, with the default that it says', async () => {
  const text = fs.readFileSync(path.join(top, 'conf/reeld.conf'), 'utf8');
  const lines = text.split('\n').filter((line) => !/^;(token_file|database|data|web|program|root|host|keep)/.test(line))
    .map((line) => line.replace(/^;(\w+ = )/, '$1'));
  const daemon = await Daemon.start({ args: ['--config', write('all.conf', lines.join('\n'))] });
  await daemon.cleanup();
});

test('a port that is taken and a second daemon on one catalogue are said in words, exit code 1', async () => {
  const daemon = await Daemon.start();
  const port = run(['--port', String(daemon.port)]);
  assert.equal(port.status, 1);
  assert.match(port.stderr, new RegExp(String(daemon.port)));
  const second = run(['--database', path.join(daemon.dir, 'catalog.db')]);
  assert.equal(second.status, 1);
  assert.match(second.stderr, /catalog/);
  await daemon.cleanup();
});
