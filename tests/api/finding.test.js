// Finding: every filter, order, cursor and count, against the same done here over what each video says of itself.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Daemon, makeVideo, tempDir } from '../lib/daemon.js';
import { content, facets, filter, order } from '../lib/finding.js';
import { random, realFiles } from '../lib/trees.js';

const api = '/api/v1';
let daemon;
let dir;
let library;
/** Every video in the order of its coming, with all that GET /videos/{id} says and what is known of its file here. */
let videos;

/** Real files under names that are hard to find, and in folders that nearly are another's. */
const names = ['Episode 2.mp4', 'episode 10.mp4', 'Episode 002.mp4', 'EPISODE 2.mp4', 'a%b_c.mkv', 'über Straße ÉTÉ.mp4', 'Ελλάδα.webm', '北京 夜.mp4',
  '🎬 film.mp4', 'quote " \' ` .mkv', 'star * ? [x] (y) ^.mp4', 'AND OR NOT NEAR.mp4', 'back\\slash.avi', 'x.mp4', 'null.mp4', '-- ; DROP TABLE videos.mp4'];
const folders = ['', 'films', 'films 2', 'films/inner', 'Films', 'f%lms', 'f_lms', 'new\nline'];

function build() {
  const real = realFiles();
  real.forEach((file, i) => {
    const folder = path.join(library, folders[i % folders.length]);
    fs.mkdirSync(folder, { recursive: true });
    fs.copyFileSync(file, path.join(folder, `${i} ${path.basename(file)}`));
  });
  names.forEach((name, i) => fs.copyFileSync(real[(i * 7) % real.length], path.join(library, folders[i % folders.length], name)));
  fs.copyFileSync(real[0], Buffer.concat([Buffer.from(`${library}/films/caf`), Buffer.from([0xe9]), Buffer.from('.mp4')]));
  // What is broken, deleted and copied below.
  for (const name of ['broken', 'gone 1', 'gone 2', 'kept']) makeVideo(path.join(library, 'own', `${name}.mp4`), { seconds: 0.4 });
  fs.copyFileSync(path.join(library, 'own/kept.mp4'), path.join(library, 'films/kept again.mp4'));
  fs.copyFileSync(path.join(library, 'own/gone 1.mp4'), path.join(library, 'films/not gone.mp4'));
  fs.linkSync(path.join(library, 'own/kept.mp4'), path.join(library, 'own/linked.mp4'));
  // Times of files in their hundreds, some of them equal.
  const next = random(4);
  for (const file of execFileSync('find', [library, '-type', 'f', '-print0'], { encoding: 'latin1' }).split('\0').filter(Boolean)) {
    const at = 1.6e9 + Math.floor(next() * 40) * 1e5 + 0.125;
    fs.utimesSync(Buffer.from(file, 'latin1'), at, at);
  }
}

/** The path of a video, as bytes. */
const bytes = (video) => (video.path_uri ? Buffer.from(unescape(video.path_uri), 'latin1') : Buffer.from(video.path));

async function scan() {
  const job = await daemon.wait(await daemon.scan(library));
  assert.equal(job.status, 'complete', JSON.stringify(job));
  return job;
}

/** Asks for a list; 200, or it fails. */
async function list(query, route = 'videos') {
  const text = new URLSearchParams(query).toString();
  const answer = await daemon.get(`${api}/${route}?${text}`);
  assert.equal(answer.status, 200, `${route}?${text}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

before(async () => {
  dir = tempDir();
  library = path.join(dir, 'library');
  fs.mkdirSync(library);
  build();
  daemon = await Daemon.start();
  const channel = await daemon.channel();
  await scan();
  await channel.find('SCAN_COMPLETED');
  const came = channel.frames.filter((frame) => frame.type === 'VIDEO_ADDED').map((frame) => frame.payload.id);
  await channel.close();
  const one = async (id) => (await daemon.get(`${api}/videos/${id}`)).body;
  const files = new Map();
  for (const id of came) files.set(id, content(bytes(await one(id))));
  fs.rmSync(path.join(library, 'own/gone 1.mp4'));
  fs.rmSync(path.join(library, 'own/gone 2.mp4'));
  fs.writeFileSync(path.join(library, 'own/broken.mp4'), 'not a film any more');
  fs.utimesSync(path.join(library, 'own/broken.mp4'), 1.5e9, 1.5e9);
  const { result } = await scan();
  assert.deepEqual([result.missing, result.new + result.updated + result.moved], [2, 0]);
  const failed = new Set(result.errors.map((error) => error.path));
  videos = [];
  for (const id of came) {
    const video = await one(id);
    videos.push({ ...video, ...files.get(id), came: videos.length, failed: failed.has(video.path), bytes: bytes(video) });
  }
  assert.equal(videos.filter((video) => video.failed).length, 1);
  assert.equal(videos.length, (await list({})).total + result.missing);
});
after(async () => {
  await daemon?.cleanup();
  fs.rmSync(dir, { recursive: true, force: true });
});

const ids = (some) => some.map((video) => video.id);

/** Holds a list's first page against the model; gives how many videos the filter lets through. */
async function holds(query, sort = {}) {
  const expected = order(filter(videos, query), sort.sort, sort.order);
  const page = await list({ ...query, ...sort, limit: 1000 });
  const what = JSON.stringify({ ...query, ...sort });
  assert.deepEqual(page.videos.map((video) => video.path), expected.map((video) => video.path), what);
  assert.deepEqual(ids(page.videos), ids(expected), what);
  assert.equal(page.total, expected.length, what);
  assert.equal(page.next_cursor, null, what);
  return expected.length;
}

/** Values of one filter, so that each lets some through and keeps some back. */
function choices() {
  const known = (member) => [...new Set(videos.map((video) => video[member]).filter((value) => value !== null))];
  const middle = (member) => known(member).sort((a, b) => a - b).at(known(member).length / 2 | 0);
  const time = (member) => videos.map((video) => video[member]).sort().at(videos.length / 2 | 0);
  const folder = path.join(library, 'films');
  return {
    video_codec: [...known('video_codec'), 'none', '', 'H264,hevc', ',', 'mpeg4,,none', 'h26', 'h264 '],
    container: ['mov', 'MATROSKA', 'avi,mpegts', 'webm,3gp', 'none', '', 'm', 'mov,mp4,m4a,3gp,3g2,mj2'],
    language: ['eng', 'und', 'ENG,fra', 'none', '', 'none,deu', 'en', 'xxx', ','],
    resolution: ['sd', '720p', '1080p', '1440p', '2160p', '4320p', 'none', 'sd,1080P', ',720p'],
    hdr: ['true', 'false', 'hlg', 'HDR10,dolby-vision', 'none', 'none,hlg', 'hdr10+'],
    subtitles: ['true', 'false'],
    failed: ['true', 'false'],
    duplicates: ['true', 'false'],
    missing: ['true', 'false'],
    width_min: ['0', '1', '641', '1080', '2147483647'],
    width_max: ['1', '640', '720', '2147483647'],
    height_min: ['0', '1', '361', '720', '1280'],
    height_max: ['2', '48', '360', '720'],
    duration_min_s: ['0', '0.4', '1', '1.000001', String(middle('duration_s'))],
    duration_max_s: ['0.000001', '1', '5.5', String(middle('duration_s'))],
    added_since: [time('created_at'), String(Date.parse(time('created_at')) / 1000), '0', '2099-01-01T00:00:00Z'],
    modified_since: [time('modified_at'), String(Date.parse(time('modified_at')) / 1000), time('modified_at').replace('Z', '+00:00'), '4000000000'],
    folder: [library, folder, `${folder}/`, `${folder} 2`, path.join(library, 'Films'), path.join(library, 'f_lms'), path.join(library, 'f%lms'), '/',
      path.join(library, 'film'), '/nowhere'],
    folder_uri: [encodeURIComponent(folder), encodeURIComponent(path.join(library, 'new\nline'))],
    q: ['mp4', 'E', 'ep', 'episode', 'ÜBER', 'été', 'ελλάδα', '京', '北京', '🎬', 'films', 'films 2', '%', '_', '*', '"', '\'', '\\', 'NOT NEAR', '--', 'null', '(y)', '[x]', 'new'],
  };
}

test('each filter lets through what it says', async () => {
  for (const [name, values] of Object.entries(choices())) {
    const counts = [];
    for (const value of values) counts.push(await holds({ [name]: value }));
    const present = videos.filter((video) => video.missing_since === null).length;
    assert.ok(counts.some((count) => count > 0) && (name === 'q' || counts.some((count) => count < present)), `${name}: ${counts} of ${present}`);
  }
});

test('filters hold together, in any order', async () => {
  const all = Object.entries(choices());
  const next = random(11);
  const pick = (some) => some[Math.floor(next() * some.length)];
  const sorts = ['name', 'added', 'modified', 'duration', 'size', 'resolution', 'bit_rate'];
  let found = 0;
  for (let i = 0; i < 150; i++) {
    const query = {};
    for (let n = 1 + Math.floor(next() * 4); n > 0; n--) {
      const [name, values] = pick(all);
      if (!(name === 'folder' && 'folder_uri' in query) && !(name === 'folder_uri' && 'folder' in query)) query[name] = pick(values);
    }
    found += await holds(query, { sort: pick(sorts), order: pick(['asc', 'desc']) }) > 0;
  }
  assert.ok(found > 20, `${found} of 150 find anything`);
});

test('each order, and its reverse', async () => {
  for (const sort of ['name', 'added', 'modified', 'duration', 'size', 'resolution', 'bit_rate']) {
    for (const way of ['asc', 'desc']) {
      await holds({}, { sort, order: way });
      await holds({ q: 'e' }, { sort, order: way });
      await holds({ missing: 'true' }, { sort, order: way });
    }
  }
  const first = await list({ limit: 1000 });
  assert.deepEqual(first, await list({ limit: 1000, sort: 'name', order: 'asc' }));
});

test('pages by cursor and by offset are the whole list', async () => {
  for (const query of [{}, { q: 'mp4' }, { video_codec: 'h264', subtitles: 'false' }, { folder: path.join(library, 'films') }, { duplicates: 'true' }]) {
    for (const sort of ['name', 'added', 'modified', 'duration', 'size', 'resolution', 'bit_rate']) {
      for (const [way, limit] of [['asc', 7], ['desc', 10]]) {
        const asked = { ...query, sort, order: way };
        const expected = ids(order(filter(videos, query), sort, way));
        const walked = [];
        let cursor;
        do {
          const page = await list({ ...asked, limit, ...(cursor && { cursor }) });
          assert.equal(page.total, expected.length);
          assert.equal(page.offset, 0);
          assert.ok(page.videos.length === limit || !page.next_cursor);
          walked.push(...ids(page.videos));
          cursor = page.next_cursor;
        } while (cursor);
        assert.deepEqual(walked, expected, JSON.stringify(asked));
        const offset = expected.length / 2 | 0;
        assert.deepEqual(ids((await list({ ...asked, limit, offset })).videos), expected.slice(offset, offset + limit), JSON.stringify(asked));
      }
    }
  }
  const beyond = await list({ offset: 100000 });
  assert.deepEqual([beyond.videos, beyond.next_cursor], [[], null]);
});

test('a cursor is good for its own query alone', async () => {
  const { next_cursor: cursor } = await list({ limit: 2, sort: 'size' });
  for (const query of [{ limit: 2, cursor }, { sort: 'size', order: 'desc', cursor }, { sort: 'size', q: 'e', cursor }, { sort: 'size', video_codec: 'h264', cursor },
    { sort: 'size', folder: library, cursor }, { sort: 'size', width_min: 1, cursor }, { sort: 'size', cursor: cursor.slice(2) }, { sort: 'size', cursor: '' }, { sort: 'size', cursor: 'ÿ' }]) {
    const { status, body } = await daemon.get(`${api}/videos?${new URLSearchParams(query)}`);
    assert.deepEqual([status, body.code, body.field], [400, 'BAD_CURSOR', 'cursor'], JSON.stringify(query));
  }
  assert.equal((await list({ sort: 'size', limit: 5, cursor })).videos.length, 5, 'another limit is no other query');
});

test('search is the list with a text, and says how many there are', async () => {
  for (const q of ['mp4', 'episode', '京', '"', '']) {
    const page = await list({ q, limit: 3, sort: 'added' }, 'videos/search');
    assert.deepEqual(page, await list({ q, limit: 3, sort: 'added' }));
    assert.equal(page.total, filter(videos, { q }).length);
    assert.equal(page.query, q);
  }
  assert.equal('query' in await list({}), false);
});

test('counts are those of the filter; each facet leaves its own part out', async () => {
  const same = (video) => videos.filter((other) => other.missing_since === null && other.content === video.content);
  const whole = {
    missing: videos.filter((video) => video.missing_since !== null).length,
    duplicates: videos.filter((video) => video.missing_since === null && same(video).length > 1).length,
  };
  assert.ok(whole.duplicates >= 3 && whole.missing === 2);
  for (const query of [{}, { q: 'e' }, { video_codec: 'h264' }, { container: 'mov' }, { resolution: 'sd' }, { hdr: 'true' }, { hdr: 'hlg,none' }, { subtitles: 'true' },
    { language: 'eng,none' }, { video_codec: 'h264,hevc', container: 'mov', subtitles: 'false', hdr: 'false', resolution: 'sd,1080p', language: 'und' },
    { folder: path.join(library, 'films') }, { missing: 'true' }, { failed: 'true' }, { duplicates: 'true' }, { q: 'is nowhere' }, { width_min: 641, duration_max_s: 10 }]) {
    const stats = await list(query, 'stats');
    const through = filter(videos, query);
    const what = JSON.stringify(query);
    assert.equal(stats.videos, through.length, what);
    assert.equal(stats.size, through.reduce((sum, video) => sum + video.file_size, 0), what);
    assert.equal(Math.round(stats.duration_s * 1e6), through.reduce((sum, video) => sum + Math.round((video.duration_s ?? 0) * 1e6), 0), what);
    assert.deepEqual({ missing: stats.missing, duplicates: stats.duplicates }, whole, what);
    assert.deepEqual(stats.by, facets(videos, query), what);
    assert.equal(stats.event_id, (await list(query)).event_id);
  }
});

test('what a facet names is a filter that finds as many', async () => {
  const { by } = await list({}, 'stats');
  for (const [name, values] of Object.entries(by)) {
    for (const { value, count } of values) {
      const page = await list({ [name]: value ?? 'none', limit: 1 });
      assert.equal(page.total, count, `${name}: ${value}`);
    }
  }
});

test('the videos with the same content', async () => {
  let found = 0;
  for (const video of videos) {
    const others = videos.filter((other) => other !== video && other.content === video.content && other.missing_since === null);
    const body = await list({}, `videos/${video.id}/duplicates`);
    assert.deepEqual(ids(body.videos), ids(others).slice(0, 50), video.path);
    assert.equal(body.total, others.length, video.path);
    if (others.length > 1) assert.deepEqual(await list({ limit: 1 }, `videos/${video.id}/duplicates`), { videos: [body.videos[0]], total: others.length });
    found += others.length > 0;
  }
  assert.ok(found >= 4);
  for (const id of ['01890000-0000-7000-8000-000000000000', 'x']) {
    assert.equal((await daemon.get(`${api}/videos/${id}/duplicates`)).status, 404);
  }
});

test('a row of a list is what GET /videos/{id} says, but for streams and chapters', async () => {
  const { videos: rows } = await list({ limit: 1000 });
  const known = new Map(videos.map((video) => [video.id, video]));
  for (const row of rows) {
    for (const [member, value] of Object.entries(row)) assert.deepEqual(value, known.get(row.id)[member], `${row.path}: ${member}`);
  }
});

test('whatever a text holds, it is data', async () => {
  const next = random(99);
  const pieces = ['"', '\'', '*', '(', ')', '^', ':', '-', '+', 'AND', 'OR', 'NOT', 'NEAR(', '{', '}', '%', '_', '\\', '/', ';', '--', '/*', '\t', ' ', ',', '\u200d',
    '\u0301', 'İ', 'ſ', 'ß', 'ﬀ', '\ufffd', '𝔘', '🎬', 'name:', 'rowid', '1', 'mp4', 'x'.repeat(600)];
  const hostile = () => Array.from({ length: 1 + Math.floor(next() * 5) }, () => pieces[Math.floor(next() * pieces.length)]).join('');
  const before = await list({ limit: 1000 });
  for (let i = 0; i < 400; i++) {
    const text = hostile();
    for (const query of [{ q: text }, { [['video_codec', 'container', 'language'][i % 3]]: text }, { folder: `/${text}` }, { folder_uri: `/${encodeURIComponent(text)}` }]) {
      const page = await list({ ...query, limit: 5 });
      assert.ok(page.total <= before.total && page.videos.length <= 5);
      await list(query, 'stats');
    }
    for (const name of ['resolution', 'hdr', 'subtitles', 'sort', 'width_min', 'duration_max_s', 'added_since', 'cursor', 'limit', text.replace(/\s/g, '') || 'x']) {
      const { status, body } = await daemon.get(`${api}/videos?${new URLSearchParams({ [name]: text })}`);
      if (status !== 200) assert.deepEqual([status, /^[A-Z_]+$/.test(body.code)], [400, true], `${name}=${text}`);
    }
  }
  assert.deepEqual(await list({ limit: 1000 }), before);
});

test('every mistake is refused with its field and what would be right', async () => {
  const wrong = [['limit=0', 'limit'], ['limit=1001', 'limit'], ['limit=', 'limit'], ['offset=-1', 'offset'], ['sort=colour', 'sort'], ['order=up', 'order'],
    ['resolution=720', 'resolution'], ['hdr=yes', 'hdr'], ['hdr=hdr10+', 'hdr'], ['subtitles=1', 'subtitles'], ['failed=', 'failed'], ['duplicates=TRUE', 'duplicates'],
    ['missing=both', 'missing'], ['width_min=1.5', 'width_min'], ['width_max=0', 'width_max'], ['height_min=-1', 'height_min'], ['height_max=1e3', 'height_max'],
    ['duration_min_s=1m', 'duration_min_s'], ['duration_max_s=0', 'duration_max_s'], ['added_since=yesterday', 'added_since'], ['modified_since=2026-13-01T00:00:00Z', 'modified_since'],
    ['folder=films', 'folder'], ['folder=', 'folder'], ['folder_uri=/%252', 'folder_uri'], ['q=%ff', 'q'], ['video_codec=%c0%af', 'video_codec']];
  for (const route of ['videos', 'videos/search', 'stats']) {
    for (const [query, field] of wrong) {
      if (route === 'stats' && ['limit', 'offset', 'sort', 'order'].includes(field)) continue;
      const { status, body } = await daemon.get(`${api}/${route}?${route === 'videos/search' && field !== 'q' ? 'q=x&' : ''}${query}`);
      assert.deepEqual([status, body.code, body.field], [400, 'BAD_PARAMETER', field], query);
      if (!query.includes('%c0') && !query.includes('%ff')) assert.match(body.detail, new RegExp(`^${field} (must be|has a bad)`), query);
    }
    const ask = async (query) => (await daemon.get(`${api}/${route}?q=x&${query}`)).body;
    assert.deepEqual([(await ask('hdr=true&hdr=true')).code, (await ask('colour=red')).code, (await ask('folder=/a&folder_uri=/a')).code],
      ['REPEATED_PARAMETER', 'UNKNOWN_PARAMETER', 'CONFLICTING_PARAMETERS']);
  }
  assert.equal((await daemon.get(`${api}/videos/search`)).body.code, 'MISSING_PARAMETER');
  assert.equal((await daemon.get(`${api}/stats?limit=1`)).body.code, 'UNKNOWN_PARAMETER');
  assert.equal((await daemon.get(`${api}/videos/${videos[0].id}/duplicates?offset=1`)).body.code, 'UNKNOWN_PARAMETER');
  assert.equal((await daemon.get(`${api}/videos?offset=1&cursor=x`)).body.code, 'CONFLICTING_PARAMETERS');
});

test('a list is asked for again with its tag, until something changes', async () => {
  const routes = ['videos?limit=20', 'videos?q=mp4&sort=size', 'videos/search?q=e', 'stats', `videos/${videos[0].id}/duplicates`];
  const tags = new Map();
  for (const route of routes) {
    const { status, headers } = await daemon.get(`${api}/${route}`);
    const tag = headers.get('etag');
    assert.equal(status, 200);
    assert.match(tag, /^W\/"[^"]+"$/);
    assert.equal(headers.get('cache-control'), 'no-cache');
    for (const known of [tag, `"other", ${tag}`, '*', tag.slice(2)]) {
      const again = await daemon.get(`${api}/${route}`, { 'if-none-match': known });
      assert.deepEqual([again.status, again.body, again.headers.get('etag'), again.headers.get('cache-control')], [304, '', tag, 'no-cache'], `${route} ${known}`);
      assert.equal((await daemon.request('HEAD', `${api}/${route}`, undefined, { 'if-none-match': known })).status, 304);
    }
    for (const other of ['"other"', 'W/"x"', tag.replaceAll('"', ''), ''])
      assert.equal((await daemon.get(`${api}/${route}`, { 'if-none-match': other })).status, 200, `${route} ${other}`);
    tags.set(route, tag);
  }
  assert.equal((await daemon.get(`${api}/videos?limit=0`, { 'if-none-match': '*' })).status, 400, 'a mistake is no list');
  const victim = videos.find((video) => video.path.endsWith('x.mp4'));
  const before = (await list({ limit: 1 })).total;
  assert.equal((await daemon.request('DELETE', `${api}/videos/${victim.id}`)).status, 204);
  for (const route of routes) {
    const { status, headers } = await daemon.get(`${api}/${route}`, { 'if-none-match': tags.get(route) });
    assert.equal(status, 200, route);
    assert.notEqual(headers.get('etag'), tags.get(route));
    assert.equal((await daemon.get(`${api}/${route}`, { 'if-none-match': headers.get('etag') })).status, 304);
  }
  assert.equal((await list({ limit: 1 })).total, before - 1);
  videos = videos.filter((video) => video !== victim);
  await holds({});
});

test('where a token is asked, a list is nobody else\'s', async (t) => {
  const file = path.join(dir, 'token');
  fs.writeFileSync(file, 'a-token-of-some-length\n', { mode: 0o600 });
  const other = await Daemon.start({ args: ['--token-file', file] });
  t.after(() => other.cleanup());
  const authorization = 'Bearer a-token-of-some-length';
  const { headers, status } = await other.get(`${api}/videos`, { authorization });
  assert.deepEqual([status, headers.get('cache-control')], [200, 'private, no-cache']);
  assert.equal((await other.get(`${api}/videos`, { authorization, 'if-none-match': headers.get('etag') })).status, 304);
  assert.equal((await other.get(`${api}/videos`, { 'if-none-match': headers.get('etag') })).status, 401);
  assert.deepEqual((await other.get(`${api}/stats`, { authorization })).body.by, { video_codec: [], container: [], resolution: [], hdr: [], subtitles: [], language: [] });
});
