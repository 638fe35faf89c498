// ffprobe is the oracle: every field that media_probe gives is compared with what ffprobe says, over the real files of
// the corpus and over generated ones for what that lacks. Each known difference stands in the table below with its
// reason; one that is not there fails, and so does an entry that no longer holds.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { build, corpusDir, tempDir } from '../lib/daemon.js';

/** Known differences: file → field → reason. A field is `stream.NAME` or `file.NAME`. */
const UNSEEN = 'Matroska has no durations of streams; ffprobe gives the file\'s to those of which it saw no packet';
const KNOWN = {
  'file-type/fixture.mkv': { 'stream.duration_us': UNSEEN },
  'libwebm/block_ends_beyond_cluster.mkv': { 'stream.duration_us': UNSEEN },
  'libwebm/chapters_truncated_chapter_string_2.mkv': { 'stream.duration_us': UNSEEN },
  'libwebm/fixed_lacing_bad_lace_size.mkv': { 'stream.duration_us': UNSEEN },
};

let compared = 0;
let files = 0;
let dir;

before(() => { dir = tempDir('reeld-probe-'); });
after(() => {
  fs.rmSync(dir, { recursive: true, force: true });
  console.log(`compared ${compared} fields of ${files} files with ffprobe`);
});

/** media_probe of each file, by path. */
function probeAll(paths) {
  const run = spawnSync(path.join(build, 'probe_dump'), {
    input: paths.map((file) => `${file}\0`).join(''), maxBuffer: 1 << 28, encoding: 'utf8',
  });
  assert.equal(run.status, 0, `probe_dump ended with ${run.status ?? run.signal}: ${run.stderr}`);
  const lines = run.stdout.trimEnd().split('\n');
  assert.equal(lines.length, paths.length);
  return new Map(paths.map((file, i) => [file, JSON.parse(lines[i])]));
}

function ffprobe(file) {
  const run = spawnSync('ffprobe', ['-v', 'error', '-print_format', 'json', '-show_format', '-show_streams',
    '-show_chapters', file], { encoding: 'utf8', maxBuffer: 1 << 28 });
  return { exit: run.status, probe: JSON.parse(run.stdout || '{}') };
}

const number = (text) => (text === undefined ? null : Number(text));
const micros = (text) => (text === undefined ? null : Math.round(Number(text) * 1e6));
const rational = (text) => (!text || /^0\/|\/0$/.test(text) ? null : text);
const word = (text) => (text === undefined || text === '' ? null : text);

/** Turning clockwise, 0 to 359, from what ffprobe prints: counter-clockwise, -180 to 180. */
function rotation(stream) {
  const matrix = (stream.side_data_list ?? []).find((side) => side.side_data_type === 'Display Matrix');
  return matrix && Number.isFinite(matrix.rotation) ? (((-matrix.rotation) % 360) + 360) % 360 : 0;
}

function hdr(stream) {
  const side = (stream.side_data_list ?? []).map((entry) => entry.side_data_type);
  if (side.includes('DOVI configuration record')) return 'dolby-vision';
  if (stream.color_transfer === 'arib-std-b67') return 'hlg';
  if (stream.color_transfer !== 'smpte2084') return null;
  return stream.color_primaries === 'bt2020' ? 'hdr10' : 'pq';
}

/** Bits of a colour component, read out of the pixel format's name. */
function depth(name) {
  if (!name) return 0;
  const match = /(?:p|gray|gbrp|gbrap|nv|p0)(9|10|12|14|16)(?:le|be)?$/.exec(name);
  return match ? Number(match[1]) : 8;
}

const KINDS = ['video', 'audio', 'subtitle', 'data', 'attachment'];

/** A stream of ffprobe's in the words of media_info.h. */
function expectedStream(stream) {
  const video = stream.codec_type === 'video';
  const audio = stream.codec_type === 'audio';
  const tags = Object.fromEntries(Object.entries(stream.tags ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    index: stream.index,
    kind: KINDS.includes(stream.codec_type) ? stream.codec_type : 'other',
    disposition: Object.keys(stream.disposition ?? {}).filter((name) => stream.disposition[name]).sort().join(),
    codec: word(stream.codec_name),
    profile: word(stream.profile),
    language: word(tags.language),
    title: word(tags.title?.trim()),
    bit_rate: number(stream.bit_rate),
    duration_us: micros(stream.duration),
    frames: number(stream.nb_frames),
    width: video ? stream.width : 0,
    height: video ? stream.height : 0,
    rotation: video ? rotation(stream) : 0,
    bit_depth: video ? depth(stream.pix_fmt)
      : audio ? Number(stream.bits_per_raw_sample ?? 0) || Number(stream.bits_per_sample ?? 0) : 0,
    sample_aspect: video ? rational(stream.sample_aspect_ratio?.replace(':', '/')) : null,
    frame_rate: video ? rational(stream.r_frame_rate) : null,
    average_frame_rate: video ? rational(stream.avg_frame_rate) : null,
    pixel_format: video ? word(stream.pix_fmt) : null,
    color_range: video ? word(stream.color_range) : null,
    color_space: video ? word(stream.color_space) : null,
    color_primaries: video ? word(stream.color_primaries) : null,
    color_transfer: video ? word(stream.color_transfer) : null,
    hdr: video ? hdr(stream) : null,
    channels: audio ? Number(stream.channels ?? 0) : 0,
    sample_rate: audio ? Number(stream.sample_rate ?? 0) : 0,
    channel_layout: audio ? word(stream.channel_layout) : null,
  };
}

function expectedFile(probe) {
  const streams = probe.streams;
  const tags = Object.fromEntries(
    Object.entries(probe.format.tags ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
  const count = (kind) => streams.filter((stream) => stream.codec_type === kind).length;
  const taken = tags['com.apple.quicktime.creationdate'] ?? tags.creation_time;
  return {
    container: probe.format.format_name,
    duration_us: micros(probe.format.duration),
    bit_rate: number(probe.format.bit_rate),
    title: word(tags.title?.trim()),
    stream_count: streams.length,
    chapter_count: probe.chapters.length,
    video_count: count('video'),
    audio_count: count('audio'),
    subtitle_count: count('subtitle'),
    data_count: count('data'),
    attachment_count: count('attachment'),
    ...(taken ? { taken_at_ms: Date.parse(taken) } : {}),
  };
}

/** Differences between ours and ffprobe's as {field: [ours, theirs]}. */
function differences(ours, probe) {
  const found = {};
  const check = (field, mine, theirs) => {
    compared += 1;
    if (mine !== theirs) (found[field] ??= []).push([mine, theirs]);
  };
  for (const [name, value] of Object.entries(expectedFile(probe))) check(`file.${name}`, ours.summary[name], value);
  check('streams', ours.streams.length, Math.min(probe.streams.length, 128));
  probe.streams.slice(0, 128).forEach((stream, i) => {
    const mine = { ...(ours.streams[i] ?? {}), disposition: (ours.streams[i]?.disposition ?? []).sort().join() };
    for (const [name, value] of Object.entries(expectedStream(stream))) check(`stream.${name}`, mine[name] ?? null, value);
  });
  probe.chapters.forEach((chapter, i) => {
    check('chapter.start_us', ours.chapters[i]?.start_us, micros(chapter.start_time));
    check('chapter.end_us', ours.chapters[i]?.end_us, micros(chapter.end_time));
    check('chapter.title', ours.chapters[i]?.title ?? null, word(chapter.tags?.title));
  });
  return found;
}

const show = ([mine, theirs]) => `reeld says ${JSON.stringify(mine)}, ffprobe ${JSON.stringify(theirs)}`;

/** Compares files with what ffprobe says of them; `oracle` gives that for a path. */
function compare(paths, name, oracle) {
  const results = probeAll(paths);
  const problems = [];
  for (const file of paths) {
    const ours = results.get(file);
    const { exit, probe } = oracle(file);
    const moving = (probe?.streams ?? []).some((stream) => stream.codec_type === 'video' && !stream.disposition.attached_pic);
    const known = KNOWN[name(file)] ?? {};
    files += 1;
    compared += 1;
    if (exit !== 0 || !moving) {
      const good = exit !== 0 || !probe.streams?.length ? ['NOT_MEDIA', 'EMPTY', 'TRUNCATED', 'CORRUPT'] : ['NO_VIDEO_STREAM'];
      if (!good.includes(ours.code)) problems.push(`${name(file)}: ${ours.code}, but ffprobe: exit ${exit}, no moving picture`);
      if (ours.code !== 'OK' && !ours.error) problems.push(`${name(file)}: ${ours.code} without a word of explanation`);
      continue;
    }
    if (ours.code !== 'OK') {
      problems.push(`${name(file)}: ${ours.code} (${ours.error}), but ffprobe describes it`);
      continue;
    }
    const found = differences(ours, probe);
    for (const field of Object.keys(found)) {
      if (!known[field]) problems.push(`${name(file)}: ${field}: ${found[field].map(show).join('; ')}`);
    }
    for (const field of Object.keys(known)) {
      if (!found[field]) problems.push(`${name(file)}: ${field} is listed as a known difference, but there is none`);
    }
  }
  assert.equal(problems.length, 0, `\n${problems.join('\n')}`);
}

const corpus = corpusDir();

test('every field of the real files is what ffprobe says', { skip: !corpus && 'no corpus here' }, () => {
  const all = fs.readdirSync(corpus, { recursive: true }).filter((file) => file.endsWith('.ffprobe.json')).sort();
  const paths = all.map((file) => path.join(corpus, file.slice(0, -'.ffprobe.json'.length)));
  assert.ok(paths.length > 100);
  compare(paths, (file) => path.relative(corpus, file), (file) => JSON.parse(fs.readFileSync(`${file}.ffprobe.json`, 'utf8')));
});

/** Generated files for what the corpus lacks: name → ffmpeg's arguments after the inputs (picture, sound). */
const GENERATED = {
  'vfr.mkv': ['-vf', "select='not(mod(n,3))+lt(mod(n*n,7),2)'", '-vsync', 'vfr', '-c:v', 'libx264', '-c:a', 'libopus'],
  'vfr.mp4': ['-vf', "select='not(mod(n,3))+lt(mod(n*n,7),2)'", '-vsync', 'vfr', '-c:v', 'libx264', '-c:a', 'aac'],
  'fragments.mp4': ['-c:v', 'libx264', '-c:a', 'aac', '-movflags', '+frag_keyframe+empty_moov+default_base_moof'],
  'ntsc.mov': ['-r', '30000/1001', '-c:v', 'prores_ks', '-c:a', 'pcm_s24le', '-timecode', '01:00:00:00'],
  'interlaced.ts': ['-c:v', 'libx264', '-flags', '+ilme+ildct', '-x264opts', 'tff=1', '-c:a', 'ac3'],
  'interlaced.m2ts': ['-c:v', 'libx264', '-r', '24000/1001', '-c:a', 'ac3', '-mpegts_m2ts_mode', '1'],
  'hevc.ts': ['-c:v', 'libx265', '-x265-params', 'log-level=none', '-c:a', 'mp2', '-metadata:s:a:0', 'language=fra'],
  'hevc10.mkv': ['-c:v', 'libx265', '-x265-params', 'log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc',
    '-pix_fmt', 'yuv420p10le', '-c:a', 'flac'],
  'hlg.mp4': ['-c:v', 'libx264', '-pix_fmt', 'yuv420p10le', '-color_primaries', 'bt2020', '-color_trc', 'arib-std-b67',
    '-colorspace', 'bt2020nc', '-color_range', 'tv', '-c:a', 'libmp3lame'],
  'vp9.webm': ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuv444p', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus'],
  'vp8.webm': ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libvorbis'],
  'av1.mp4': ['-c:v', 'libsvtav1', '-preset', '12', '-pix_fmt', 'yuv420p10le', '-c:a', 'aac'],
  'theora.ogv': ['-c:v', 'libtheora', '-c:a', 'libvorbis'],
  'sorenson.flv': ['-c:v', 'flv1', '-ar', '44100', '-c:a', 'libmp3lame'],
  'h264.flv': ['-c:v', 'libx264', '-c:a', 'aac'],
  'xvid.avi': ['-c:v', 'mpeg4', '-vtag', 'XVID', '-bf', '2', '-c:a', 'libmp3lame'],
  'h264.avi': ['-c:v', 'libx264', '-bf', '0', '-c:a', 'pcm_s16le'],
  'mjpeg.avi': ['-c:v', 'mjpeg', '-pix_fmt', 'yuvj422p', '-c:a', 'pcm_u8'],
  'ffv1.mkv': ['-c:v', 'ffv1', '-pix_fmt', 'yuv422p10le', '-c:a', 'pcm_s24le'],
  'raw.avi': ['-c:v', 'rawvideo', '-pix_fmt', 'yuv420p', '-c:a', 'pcm_s16le'],
  'dnxhr.mxf': ['-s', '1280x720', '-c:v', 'dnxhd', '-profile:v', 'dnxhr_lb', '-pix_fmt', 'yuv422p', '-c:a', 'pcm_s16le', '-ar', '48000'],
  'mpeg2.mxf': ['-c:v', 'mpeg2video', '-c:a', 'pcm_s16le', '-ar', '48000'],
  'dvd.vob': ['-target', 'ntsc-dvd'],
  'vcd.mpg': ['-target', 'pal-vcd'],
  'dv.avi': ['-target', 'pal-dv'],
  'windows.wmv': ['-c:v', 'wmv2', '-c:a', 'wmav2'],
  'msmpeg4.asf': ['-c:v', 'msmpeg4', '-c:a', 'wmav1'],
  'phone.3gp': ['-s', '176x144', '-c:v', 'h263', '-ar', '22050', '-ac', '1', '-c:a', 'aac'],
  'surround.mp4': ['-c:v', 'libx264', '-c:a', 'eac3', '-ac', '6', '-aspect', '4:3', '-metadata', 'title=Größe',
    '-metadata', 'creation_time=2019-05-04T12:00:00Z', '-metadata:s:a:0', 'language=deu'],
  'nut.nut': ['-c:v', 'mpeg4', '-c:a', 'libvorbis'],
  'silent.mkv': ['-an', '-c:v', 'libx264', '-x264opts', 'keyint=10', '-metadata:s:v:0', 'title=Angle 1'],
};

test('every field of generated files is what ffprobe says', () => {
  const paths = Object.entries(GENERATED).map(([name, args]) => {
    const file = path.join(dir, name);
    execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', '-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25:duration=2',
      '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=48000:duration=2', ...args, file]);
    return file;
  });
  const rotated = [90, 180, 270].map((angle) => {
    const file = path.join(dir, `rotated${angle}.mp4`);
    execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', '-i', path.join(dir, 'surround.mp4'), '-c', 'copy',
      '-metadata:s:v:0', `rotate=${angle}`, file]);
    return file;
  });
  compare([...paths, ...rotated], (file) => path.basename(file), ffprobe);
  const angles = [...probeAll(rotated).values()].map((described) => described.summary.rotation);
  assert.deepEqual(angles.sort((a, b) => a - b), [90, 180, 270]);
});
