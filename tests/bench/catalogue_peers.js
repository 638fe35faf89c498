// The servers that scripts/bench catalogue compares with: the same rows in a table of their own, the same page, the same JSON.
import { createRequire } from 'node:module';
import fs from 'node:fs';
import path from 'node:path';
import { eventually, top } from '../lib/daemon.js';
import { Server, freePort } from './channel_servers.js';
import { random } from './catalogue_queries.js';

const peers = path.join(top, 'tests/bench/peers');
const require = createRequire(path.join(peers, 'package.json'));

/** Digits by their value, letters without case: enough for the names that are generated. */
const nameKey = (name) => name.toLowerCase().replace(/\d+/g, (digits) => digits.padStart(10, '0'));

function makeTables(database, first) {
  const names = Object.keys(first);
  const isJson = (name) => typeof first[name] === 'object' && first[name] !== null;
  const type = (name) => (typeof first[name] === 'number' ? 'NUMERIC' : 'TEXT');
  const columns = names.map((name) => `"${name}" ${type(name)}`).join(', ');
  database.exec(`
    PRAGMA journal_mode = off;
    PRAGMA synchronous = off;
    CREATE TABLE members (place INTEGER PRIMARY KEY, name TEXT, is_json INTEGER);
    CREATE TABLE facts (videos INTEGER, event_id TEXT);
    CREATE TABLE videos (number INTEGER PRIMARY KEY, folder TEXT, name_key TEXT, ${columns});
    BEGIN`);
  const add = database.prepare('INSERT INTO members (name, is_json) VALUES (?, ?)');
  for (const name of names) add.run(name, isJson(name) ? 1 : 0);
  const insert = database.prepare(`INSERT INTO videos VALUES (?, ?, ?${', ?'.repeat(names.length)})`);
  const values = (video) => names.map((name) => (isJson(name) ? JSON.stringify(video[name]) : video[name]));
  return (number, video) => insert.run(number, path.dirname(video.path), nameKey(video.filename), ...values(video));
}

/** Reads every video from a daemon, in the order in which a scan wrote them, into a table with the indexes that a page needs. */
export async function copyCatalogue(daemon, file) {
  const Database = require('better-sqlite3');
  const database = new Database(file);
  let insert, page, number = 0, cursor = null;
  do {
    const answer = await fetch(`${daemon.url}/api/v1/videos?sort=added&limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`);
    page = await answer.json();
    insert ??= makeTables(database, page.videos[0]);
    for (const video of page.videos) insert(++number, video);
    cursor = page.next_cursor;
  } while (cursor);
  if (number !== page.total) throw new Error(`${number} videos were read, of ${page.total}`);
  database.prepare('INSERT INTO facts VALUES (?, ?)').run(number, page.event_id);
  database.exec(`COMMIT;
    CREATE INDEX videos_name ON videos (name_key, number);
    CREATE INDEX videos_folder ON videos (folder, name_key, number);
    CREATE UNIQUE INDEX videos_id ON videos (id);
    ANALYZE`);
  database.close();
}

/** Cursors of the peers at `count` random places of the list. */
export function peerCursors(file, count, seed) {
  const database = new (require('better-sqlite3'))(file, { readonly: true });
  const { videos } = database.prepare('SELECT videos FROM facts').get();
  const at = database.prepare('SELECT name_key, number FROM videos WHERE number = ?').raw();
  const next = random(seed);
  const found = Array.from({ length: count }, () => Buffer.from(JSON.stringify(at.get(1 + next(videos - 100)))).toString('base64'));
  database.close();
  return found.map((cursor) => cursor.replaceAll('+', '-').replaceAll('/', '_'));
}

export class NodeSqlite extends Server {
  static title = 'node, better-sqlite3';
  static prefix = '';

  launch() {
    return this.spawnUntilReady(['node', path.join(peers, 'page.js'), this.options.database]);
  }
}

export class FastApi extends Server {
  static title = 'FastAPI, uvicorn, a JSONResponse';
  static prefix = '';

  launch() {
    return this.spawnUntilReady(['/usr/bin/python3', path.join(peers, 'page.py'), this.options.database]);
  }
}

export class FastApiUsual extends FastApi {
  static title = 'FastAPI, uvicorn, a dictionary';
  static prefix = '/usual';
}

/** nginx with one small file. */
export class Nginx extends Server {
  static title = 'nginx, a file of 1 KiB';

  async launch() {
    this.port = await freePort();
    fs.writeFileSync(path.join(this.dir, 'small.json'), 'x'.repeat(1024));
    fs.chmodSync(this.dir, 0o755);
    const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${this.dir}/${name};`);
    const file = path.join(this.dir, 'nginx.conf');
    fs.writeFileSync(file, `daemon off;
worker_processes 1;
pid ${this.dir}/nginx.pid;
error_log ${this.dir}/error.log warn;
events { worker_connections 1000; }
http {
  access_log off;
  sendfile on;
  open_file_cache max=100;
  keepalive_requests 1000000000;
  ${temp.join('\n  ')}
  server { listen 127.0.0.1:${this.port} backlog=1024; root ${this.dir}; }
}
`);
    const master = this.spawn(['nginx', '-p', this.dir, '-e', path.join(this.dir, 'error.log'), '-c', file]);
    const answers = () => fetch(`http://127.0.0.1:${this.port}/small.json`).catch(() => null);
    const answer = await Promise.race([eventually(answers, 'nginx answers'),
      master.ended.then(() => { throw new Error(fs.readFileSync(path.join(this.dir, 'error.log'), 'utf8')); })]);
    this.etag = answer.headers.get('etag');
  }
}
