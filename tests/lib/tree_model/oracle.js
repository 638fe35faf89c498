// What the bytes of a file are: asked of ffprobe once for each content and extension.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { bytes, extensionOf } from './paths.js';

const TEXT = new Set(['ts', 'mts']); // extensions that source texts have too
const answers = new Map();

function ask(file) {
  const { stdout } = spawnSync('ffprobe', ['-v', 'quiet', '-scan_all_pmts', '1', '-show_format', '-show_streams', '-of', 'json',
    `file:${file}`], { encoding: 'utf8' });
  const { format, streams = [] } = JSON.parse(stdout || '{}');
  const pictures = streams.filter((one) => one.codec_type === 'video' && !one.disposition?.attached_pic);
  // Bytes of no format pass for raw MPEG-4 by the name alone: without a size there is no picture.
  return format && pictures[0]?.width ? { format, picture: pictures[0], sound: streams.find((one) => one.codec_type === 'audio') } : null;
}

/** Of a copy: node cannot name a file to another program in anything but UTF-8. */
function askCopy(file, scratch) {
  const copy = `${scratch}/asked.${extensionOf(file)}`;
  fs.copyFileSync(bytes(file), copy);
  try {
    return ask(copy);
  } finally {
    fs.rmSync(copy);
  }
}

/**
 * @returns {{kind: 'video', about: object} | {kind: 'failure', codes?: string[]} | {kind: 'text'} | {kind: 'either'}}
 *   text: it is no video at all and not listed; either: a failure, or that
 */
export function verdict(disk, entry, scratch) {
  const extension = extensionOf(entry.path);
  if (entry.stat.size === 0n) return TEXT.has(extension) ? { kind: 'text' } : { kind: 'failure', codes: ['EMPTY'] };
  const key = `${disk.content(entry)}.${extension}`;
  if (!answers.has(key)) {
    const start = fs.readFileSync(bytes(entry.path)).subarray(0, 4096);
    answers.set(key, TEXT.has(extension) && !start.includes(0) && start[0] !== 0x47 ? 'text' : askCopy(entry.path, scratch));
  }
  const about = answers.get(key);
  if (about === 'text') return { kind: 'text' };
  if (about) return { kind: 'video', about };
  return { kind: TEXT.has(extension) ? 'either' : 'failure' };
}

/** The members of a video in which the service and ffprobe differ: {} is none. */
export function differences(video, { format, picture, sound }) {
  const wrong = {};
  const compare = (key, mine, theirs) => {
    if (mine !== theirs) wrong[key] = { reeld: mine, ffprobe: theirs };
  };
  compare('container', video.container, format.format_name);
  compare('video_codec', video.video_codec, picture.codec_name ?? null);
  compare('audio_codec', video.audio_codec, sound?.codec_name ?? null);
  compare('width', video.width, picture.width);
  compare('height', video.height, picture.height);
  const seconds = format.duration === undefined ? null : Number(format.duration);
  if (seconds === null || video.duration_s === null ? video.duration_s !== seconds : Math.abs(video.duration_s - seconds) > 2e-6)
    compare('duration_s', video.duration_s, seconds);
  return wrong;
}
