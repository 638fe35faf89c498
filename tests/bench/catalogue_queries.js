// What scripts/bench catalogue asks: pages, filters, searches, single videos and counts, each by a name of its kind.

const sorts = ['name', 'added', 'modified', 'duration', 'size', 'resolution', 'bit_rate'];
const list = (query) => `/api/v1/videos?${new URLSearchParams({ limit: '20', ...query })}`;
const search = (q, more) => `/api/v1/videos/search?${new URLSearchParams({ limit: '20', ...more, q })}`;
const stats = (query) => `/api/v1/stats?${new URLSearchParams(query)}`;

/** Numbers that are the same in every run. */
export function random(seed) {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return Math.floor(((state >>> 8) / 2 ** 24) * below);
  };
}

async function ask(daemon, route) {
  const answer = await daemon.get(route);
  if (answer.status !== 200) throw new Error(`${route}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** The cursor behind the first `rows` of a list. */
export async function cursorAt(daemon, query, rows) {
  const page = await ask(daemon, list({ ...query, limit: '1', offset: String(rows - 1) }));
  return page.next_cursor;
}

/** Two pages of each sort, up and down, and the one that begins in the middle of the catalogue. */
async function pages(daemon, videos) {
  const found = [];
  const middle = Math.floor(videos / 2);
  for (const sort of sorts) {
    found.push(['page, first', `first by ${sort}`, list({ sort })]);
    found.push(['page, first', `first by ${sort}, descending`, list({ sort, order: 'desc' })]);
    const cursor = await cursorAt(daemon, { sort }, middle);
    found.push(['page, by cursor', `row ${middle} by ${sort}`, list({ sort, cursor })]);
  }
  return found;
}

/** Each filter there is, with a value that the catalogue has; and some together with another sort, from the middle. */
async function filters(daemon, sample) {
  const { by } = await ask(daemon, stats({}));
  const common = (facet) => by[facet].find((entry) => entry.value !== null).value;
  const folder = sample.path.slice(0, sample.path.lastIndexOf('/'));
  const group = folder.slice(0, folder.lastIndexOf('/'));
  const year = '2020-01-01T00:00:00Z';
  const queries = [
    { video_codec: common('video_codec') }, { container: common('container').split(',')[0] }, { language: common('language') },
    { language: 'jpn,fra' }, { resolution: '1080p' }, { resolution: 'sd,720p' }, { hdr: 'true' }, { hdr: 'hdr10' },
    { subtitles: 'true' }, { subtitles: 'false' }, { failed: 'true' }, { duplicates: 'true' }, { missing: 'true' },
    { width_min: '1280', width_max: '2000' }, { height_max: '720' }, { duration_min_s: '600', duration_max_s: '1200.5' },
    { added_since: year }, { modified_since: year }, { folder }, { folder: group },
    { video_codec: common('video_codec'), resolution: '1080p', subtitles: 'true' },
  ];
  const found = [];
  for (const query of queries) {
    const name = Object.entries(query).map(([key, value]) => `${key}=${value.replace(/^.*\//, '…/')}`).join(' ').slice(0, 38);
    found.push(['filter', name, list(query)]);
    found.push(['filter', `${name.slice(0, 25)}, by duration`, list({ ...query, sort: 'duration', order: 'desc' })]);
  }
  const codec = { video_codec: common('video_codec'), sort: 'size' };
  const { total } = await ask(daemon, list(codec));
  const cursor = await cursorAt(daemon, codec, Math.ceil(total / 2));
  found.push(['filter', `video_codec=${codec.video_codec} by size, from the middle`, list({ ...codec, cursor })]);
  return found;
}

function searches(sample) {
  const [number] = /\d{7}/.exec(sample.filename);
  const words = { 'common word': 'summer', 'common word, by size': 'summer', 'rare word': number, 'absent word': 'xylophone',
    'one letter': 'e', 'two letters': 'be', 'two signs of Chinese': '北京', 'one sign of Chinese': '京', Cyrillic: 'море',
    'two words in a row': 'summer_night', 'a quotation mark': '"' };
  return Object.entries(words).map(([title, q]) => ['search', title,
    search(q, /by size/.test(title) ? { sort: 'size', order: 'desc' } : {})]);
}

function counts(sample) {
  const folder = sample.path.slice(0, sample.path.lastIndexOf('/'));
  const queries = { everything: {}, 'of a codec': { video_codec: sample.video_codec }, 'of a folder': { folder },
    'of a common word': { q: 'summer' }, 'of one letter': { q: 'e' },
    'of three filters': { resolution: '1080p', subtitles: 'true', language: 'eng' } };
  return Object.entries(queries).map(([title, query]) => ['facets', title, stats(query)]);
}

/** `count` videos from all over the catalogue. */
export async function samples(daemon, videos, count, seed = 7) {
  const next = random(seed);
  const found = [];
  for (let i = 0; i < count; i++) {
    const { videos: [video] } = await ask(daemon, list({ limit: '1', offset: String(next(videos)) }));
    found.push(video);
  }
  return found;
}

/** What costs nothing but the way there and back. */
export const floor = 'floor';

/** [kind, name, path] of all that is asked. */
export async function queries(daemon, videos) {
  const some = await samples(daemon, videos, 5);
  const duplicates = await ask(daemon, list({ duplicates: 'true', limit: '1' }));
  return [
    ...await pages(daemon, videos), ...await filters(daemon, some[0]), ...searches(some[0]), ...counts(some[0]),
    ...some.map((video) => ['get', 'a video', `/api/v1/videos/${video.id}`]),
    ...duplicates.videos.map((video) => ['get', 'its duplicates', `/api/v1/videos/${video.id}/duplicates`]),
    [floor, '/health/live', '/health/live'],
  ];
}

/** The same list in an order in which no kind is by itself. */
export function shuffled(values, seed = 11) {
  const next = random(seed);
  const out = [...values];
  for (let i = out.length - 1; i > 0; i--) {
    const other = next(i + 1);
    [out[i], out[other]] = [out[other], out[i]];
  }
  return out;
}
