// A page of the catalogue as node with better-sqlite3 would serve it, from the tables that catalogue_peers.js makes.
// usage: page.js DATABASE
import http from 'node:http';
import Database from 'better-sqlite3';

const database = new Database(process.argv[2], { readonly: true });
const members = database.prepare('SELECT name, is_json FROM members ORDER BY place').all();
const nested = members.filter((member) => member.is_json).map((member) => member.name);
const columns = members.map((member) => `"${member.name}"`).join(', ');
const from = (where) => `SELECT ${columns} FROM videos ${where} ORDER BY name_key, number LIMIT ?`;
const byName = database.prepare(from(''));
const byNameAfter = database.prepare(from('WHERE (name_key, number) > (?, ?)'));
const ofFolder = database.prepare(from('WHERE folder = ?'));
const keyOf = database.prepare('SELECT name_key, number FROM videos WHERE id = ?').raw();
const countFolder = database.prepare('SELECT count(*) AS total FROM videos WHERE folder = ?');
const facts = database.prepare('SELECT videos, event_id FROM facts');

function page(limit, cursor, folder) {
  const { videos: all, event_id: eventId } = facts.get();
  let rows;
  let total = all; // kept by whoever writes: counting a million rows for each page would be no comparison
  if (folder !== null) {
    rows = ofFolder.all(folder, limit);
    total = countFolder.get(folder).total;
  } else if (cursor !== null) {
    rows = byNameAfter.all(...JSON.parse(Buffer.from(cursor, 'base64url').toString()), limit);
  } else {
    rows = byName.all(limit);
  }
  let next = null;
  if (rows.length === limit) {
    next = Buffer.from(JSON.stringify(keyOf.get(rows[rows.length - 1].id))).toString('base64url');
  }
  for (const row of rows) {
    for (const name of nested) row[name] = JSON.parse(row[name]);
  }
  return { videos: rows, total, limit, offset: 0, next_cursor: next, event_id: eventId };
}

const server = http.createServer((request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  const limit = Number(url.searchParams.get('limit') ?? 50);
  let status = 200, answer;
  if (url.pathname !== '/videos' || !(limit >= 1 && limit <= 1000)) {
    [status, answer] = [404, { code: 'NOT_FOUND' }];
  } else {
    try {
      answer = page(limit, url.searchParams.get('cursor'), url.searchParams.get('folder'));
    } catch {
      [status, answer] = [400, { code: 'BAD_CURSOR' }];
    }
  }
  const body = Buffer.from(JSON.stringify(answer));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
});
server.keepAliveTimeout = 600000;
server.listen(0, '127.0.0.1', () => console.log(`ready at http://127.0.0.1:${server.address().port}/`));
process.on('SIGTERM', () => process.exit(0));
