// The walls between the rooms: what each program links, and which file includes which library.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { build, top } from '../lib/daemon.js';

/** The libraries that a program asks the loader for, itself and through others. */
function libraries(program) {
  const list = execFileSync('ldd', [path.join(build, program)], { encoding: 'utf8' });
  return list.split('\n').map((line) => line.trim().split(/[\s.]/)[0]).filter(Boolean);
}

function needed(program) {
  const list = execFileSync('readelf', ['-d', path.join(build, program)], { encoding: 'utf8' });
  return [...list.matchAll(/NEEDED.*\[(.*?)\.so/g)].map(([, name]) => name);
}

test('the daemon contains no media parser', () => {
  const found = libraries('reeld').filter((name) => /^lib(av|sw|postproc)/.test(name));
  assert.deepEqual(found, []);
  assert.ok(libraries('reeld').includes('libwebsockets'));
});

test('the worker has no database, no sockets library and no JSON', () => {
  const found = needed('reeld-worker').filter((name) => /sqlite|websockets|json|uv|curl/.test(name));
  assert.deepEqual(found, []);
  assert.ok(needed('reeld-worker').includes('libavformat'));
});

test('each outside library is included in its own room only', () => {
  const homes = [
    [/<sqlite3\.h>/, /^src\/catalog\//], [/<libwebsockets\.h>/, /^src\/server\//], [/<lib(av|sw)\w+\//, /^src\/media\//],
    [/<ini\.h>/, /^src\/config\//], [/<seccomp\.h>/, /^src\/worker\//], [/<xxhash\.h>/, /^src\/media\//],
    [/<uuid\//, /^src\/base\//], [/<json-c\//, /^src\/(events|server)\//], [/<zlib\.h>/, /^src\/server\//],
  ];
  const files = fs.readdirSync(top, { recursive: true })
    .filter((file) => /^(src|include)\/.*\.[ch]$/.test(file));
  assert.ok(files.length > 40);
  for (const file of files) {
    for (const [, name] of fs.readFileSync(path.join(top, file), 'utf8').matchAll(/#include (<.*?>)/g)) {
      for (const [library, home] of homes) {
        assert.ok(!library.test(name) || home.test(file), `${file} includes ${name}`);
      }
    }
  }
});

test('the rooms know only the rooms below them', () => {
  const doors = {
    base: [], events: ['base', 'catalog'], config: ['base'], catalog: ['base'], media: ['base'], worker: ['base', 'media'],
    library: ['base', 'events', 'catalog', 'worker'], server: ['base', 'events', 'catalog', 'library'],
  };
  for (const [room, below] of Object.entries(doors)) {
    for (const file of fs.readdirSync(path.join(top, 'src', room)).filter((name) => /\.[ch]$/.test(name))) {
      const text = fs.readFileSync(path.join(top, 'src', room, file), 'utf8');
      for (const [, door] of text.matchAll(/#include "reeld\/(\w+)\.h"/g)) {
        const allowed = [room, ...below, 'media_info', 'media_picture', 'vocabulary', 'ignored_names'];
        assert.ok(allowed.includes(door), `src/${room}/${file} opens the door of ${door}`);
      }
      for (const [, other] of text.matchAll(/#include "\.\.\/(.*?)"/g)) {
        assert.equal(other, 'events/vocabulary.def', `src/${room}/${file} reaches into ${other}`); // the list of words is for all
      }
    }
  }
});
