// What the lists of videos should say, done again over what each video says of itself: filters, orders, counts.
import crypto from 'node:crypto';
import fs from 'node:fs';

const END = 65536;

/** What is known of a file from its bytes: by which others are its copies, and its time. */
export function content(file) {
  const all = fs.readFileSync(file);
  const hash = crypto.createHash('sha256').update(`${all.length} `).update(all.subarray(0, END)).update(all.subarray(-END));
  return { content: hash.digest('hex'), mtime: fs.statSync(file, { bigint: true }).mtimeNs };
}

const ascii = (text) => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const fold = (text) => text.toLowerCase();

/** What a video has of each thing that word lists ask for; [] where nothing is known. */
const has = {
  video_codec: (video) => (video.video_codec ? [video.video_codec] : []),
  container: (video) => (video.container ? video.container.split(',') : []),
  language: (video) => [...new Set(video.streams.flatMap((stream) => (stream.language ?? '').split(',')).filter(Boolean))],
  resolution: (video) => {
    const lines = Math.min(video.width, video.height);
    const classes = [[4320, '4320p'], [2160, '2160p'], [1440, '1440p'], [1080, '1080p'], [720, '720p'], [1, 'sd']];
    return classes.filter(([least]) => lines >= least).slice(0, 1).map(([, word]) => word);
  },
  hdr: (video) => (video.hdr ? [video.hdr] : []),
  subtitles: (video) => [String(video.subtitle_count > 0)],
};

/** Whether one of the words is among the values; an empty word, or none, is for no value. */
function listed(words, values) {
  return words.split(',').some((word) => (['', 'none'].includes(ascii(word)) ? values.length === 0 : values.some((value) => ascii(value) === ascii(word))));
}

const turned = (video) => video.rotation % 180 !== 0;
const width = (video) => (turned(video) ? video.height : video.width);
const height = (video) => (turned(video) ? video.width : video.height);
const time = (text) => (/^[0-9.]+$/.test(text) ? Number(text) * 1000 : Date.parse(text));
const folderOf = (video) => video.bytes.subarray(0, video.bytes.lastIndexOf('/'));
const nameOf = (video) => video.bytes.subarray(video.bytes.lastIndexOf('/') + 1);

/** Whether `folder` holds the file, at whatever depth. */
function within(video, folder) {
  const bytes = Buffer.from(folder.replace(/\/+$/, ''));
  return video.bytes.subarray(0, bytes.length).equals(bytes) && video.bytes[bytes.length] === 0x2f;
}

const tests = {
  video_codec: (video, value) => listed(value, has.video_codec(video)),
  container: (video, value) => value === video.container || listed(value, has.container(video)),
  language: (video, value) => listed(value, has.language(video)),
  resolution: (video, value) => listed(value, has.resolution(video)),
  hdr: (video, value) => (['true', 'false'].includes(value) ? String(video.hdr !== null) === value : listed(value, has.hdr(video))),
  subtitles: (video, value) => String(video.subtitle_count > 0) === value,
  failed: (video, value) => String(video.failed) === value,
  duplicates: (video, value, all) => String(video.missing_since === null
    && all.some((other) => other !== video && other.missing_since === null && other.content === video.content)) === value,
  width_min: (video, value) => width(video) >= Number(value),
  width_max: (video, value) => width(video) > 0 && width(video) <= Number(value),
  height_min: (video, value) => height(video) >= Number(value),
  height_max: (video, value) => height(video) > 0 && height(video) <= Number(value),
  duration_min_s: (video, value) => Number(value) === 0 || (video.duration_s !== null && video.duration_s >= Number(value)),
  duration_max_s: (video, value) => video.duration_s !== null && video.duration_s <= Number(value),
  added_since: (video, value) => Math.floor(Date.parse(video.created_at) / 1000) >= Math.floor(time(value) / 1000),
  modified_since: (video, value) => Date.parse(video.modified_at) >= time(value),
  folder: (video, value) => within(video, value),
  folder_uri: (video, value) => within(video, decodeURIComponent(value)),
  q: (video, value) => [folderOf(video).toString(), nameOf(video).toString(), video.title ?? ''].some((text) => fold(text).includes(fold(value))),
};

/** The videos that a filter lets through; where it does not say, missing ones are hidden. */
export function filter(videos, query) {
  return videos.filter((video) => (video.missing_since !== null) === (query.missing === 'true')
    && Object.entries(query).every(([name, value]) => name === 'missing' || tests[name](video, String(value), videos)));
}

/** Names as people order them: digits by their value, ASCII letters without case. */
function natural(a, b) {
  const parts = (name) => ascii(name.toString('latin1')).match(/[0-9]+|[^0-9]/g) ?? [];
  const [one, other] = [parts(a), parts(b)];
  for (let i = 0; i < one.length && i < other.length; i++) {
    const numbers = /^[0-9]/.test(one[i]) && /^[0-9]/.test(other[i]);
    const [x, y] = numbers ? [BigInt(one[i]), BigInt(other[i])] : [one[i].charCodeAt(0), other[i].charCodeAt(0)];
    if (x !== y) return x < y ? -1 : 1;
  }
  return one.length - other.length;
}

const keys = {
  added: () => 0,
  modified: (video) => video.mtime,
  duration: (video) => video.duration_s ?? -1,
  size: (video) => video.file_size,
  resolution: (video) => video.width * video.height,
  bit_rate: (video) => video.bit_rate ?? -1,
};

/** The videos in order: equal ones as they came, names by their folders first. */
export function order(videos, sort = 'name', way = 'asc') {
  const by = (key) => (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0);
  const compare = sort === 'name' ? (a, b) => natural(nameOf(a), nameOf(b)) || Buffer.compare(folderOf(a), folderOf(b)) : by(keys[sort]);
  const sorted = [...videos].sort((a, b) => compare(a, b) || a.came - b.came);
  return way === 'desc' ? sorted.reverse() : sorted;
}

/** How many there are of each value: the most frequent first, then by the bytes of their words. */
export function facets(videos, query) {
  return Object.fromEntries(['video_codec', 'container', 'resolution', 'hdr', 'subtitles', 'language'].map((name) => {
    const { [name]: _, ...rest } = query;
    const counts = new Map();
    for (const video of filter(videos, rest)) {
      const values = name === 'container' ? [video.container].filter(Boolean) : has[name](video);
      for (const value of values.length ? values : ['']) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    return [name, [...counts].sort(([a, n], [b, m]) => m - n || Buffer.compare(Buffer.from(a), Buffer.from(b)))
      .map(([value, count]) => ({ value: value || null, count }))];
  }));
}
