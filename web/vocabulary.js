/** The words that the server says (src/events/vocabulary.def; a test keeps the two the same), and what people are told of them. A word that is not here is never waited for and never hidden. */

import { container } from './format.js';

/** Event types and their topics. */
export const EVENTS = {
  HELLO: 'meta',
  SUBSCRIBED: 'meta',
  HEARTBEAT: 'meta',
  ERROR: 'meta',
  JOB_QUEUED: 'jobs',
  SCAN_STARTED: 'jobs',
  SCAN_PROGRESS: 'jobs',
  SCAN_COMPLETED: 'jobs',
  SCAN_CANCELLED: 'jobs',
  SCAN_FAILED: 'jobs',
  SCAN_TIMEOUT: 'jobs',
  THUMBNAILS_STARTED: 'jobs',
  THUMBNAILS_PROGRESS: 'jobs',
  THUMBNAILS_COMPLETED: 'jobs',
  THUMBNAILS_CANCELLED: 'jobs',
  THUMBNAILS_FAILED: 'jobs',
  THUMBNAILS_TIMEOUT: 'jobs',
  VIDEO_ADDED: 'library',
  VIDEO_UPDATED: 'library',
  VIDEO_MOVED: 'library',
  VIDEO_MISSING: 'library',
  VIDEO_REMOVED: 'library',
  ROOT_OFFLINE: 'library',
  ROOT_ONLINE: 'library',
};

/** @type {Readonly<Record<string, { terminal: boolean, tone: string, label: string, text: string }>>} */
export const STATUSES = {
  pending: { terminal: false, tone: 'quiet', label: 'Waiting', text: 'It starts when the jobs before it are done.' },
  running: { terminal: false, tone: 'busy', label: 'Running', text: '' },
  complete: { terminal: true, tone: 'good', label: 'Complete', text: '' },
  failed: { terminal: true, tone: 'bad', label: 'Failed', text: 'It could not go on. What it had done stays.' },
  timeout: {
    terminal: true, tone: 'warn', label: 'Timed out',
    text: 'Its time limit was over. What it had done stays; scan again to go on from there.',
  },
  cancelled: {
    terminal: true, tone: 'warn', label: 'Cancelled',
    text: 'It was stopped. What it had done stays; scan again to go on from there.',
  },
};

/** @type {Words} */
export const TYPES = { scan: 'Scan', thumbnails: 'Pictures' };

/** @type {Words} */
export const PHASES = {
  queued: 'waiting for its turn',
  counting: 'looking through the folders',
  probing: 'reading the files',
  finished: 'finished',
};

/** @type {Words} */
export const TRIGGERS = {
  api: 'asked for',
  watch: 'because files changed',
  start: 'at the start of the server',
  resume: 'went on after a restart',
};

export const OUTCOMES = Object.freeze(
  /** @type {const} */ ({ new: 'new', updated: 'updated', moved: 'moved', skipped: 'unchanged', failed: 'failed' }));

/** @type {Words} */
export const FAILURES = {
  TIMEOUT: 'reading it took longer than the time limit for one file',
  CRASH: 'the worker that read it stopped abnormally',
  OOM: 'reading it needed more memory than a worker may use',
  NOT_MEDIA: 'it is not in a media format that is known',
  NO_VIDEO_STREAM: 'it has no video stream',
  TRUNCATED: 'it ends before what is needed to play it; perhaps a copy was interrupted',
  EMPTY: 'it is empty (0 bytes)',
  UNREADABLE: 'reeld may not read it; check its permissions',
  IO_ERROR: 'the disk or network reported an error while it was read',
  NOT_A_FILE: 'it is not a regular file (a pipe, socket or device)',
  SETTLING: 'it is still being written; a later scan will take it up',
  VANISHED: 'it was gone before it could be read',
  CORRUPT: 'its content is damaged beyond what can be read',
  BAD_REPLY: 'the worker that read it answered nonsense and was replaced',
  NO_PICTURE: 'it has no frame that can be shown',
  SANDBOX: 'no confined worker could be started; see /health/ready',
};

/** @type {Words} */
export const REMEDIES = {
  TIMEOUT: 'If the disk was busy, try again; a longer limit is set with --file-timeout.',
  CRASH: 'Try again. If it happens again, the file is probably damaged.',
  OOM: 'Give the workers more memory with --worker-memory, and try again.',
  NOT_MEDIA: 'If it is no video, keep it out with a line in .reeldignore.',
  NO_VIDEO_STREAM: 'If it is only sound, keep it out with a line in .reeldignore.',
  TRUNCATED: 'Copy it again from where it came.',
  EMPTY: 'Copy it again from where it came, or delete it.',
  UNREADABLE: 'Let the user that reeld runs as read it, and try again.',
  IO_ERROR: 'Check the disk or the network, and try again.',
  NOT_A_FILE: 'Nothing needs to be done.',
  SETTLING: 'Try again when it is complete.',
  VANISHED: 'If it should be there, put it back and try again.',
  CORRUPT: 'Put a sound copy in its place.',
  BAD_REPLY: 'Try again. If it happens again, the file is probably damaged.',
  NO_PICTURE: 'Nothing needs to be done; it is in the library without a picture.',
  SANDBOX: 'Set right what /health/ready reports, and try again.',
};

/** @param {{ code: string }} failure */
export const remedyFor = (failure) => (has(REMEDIES, failure.code) ? REMEDIES[failure.code] : 'Try again.');

/** @type {Words} */
export const ROOT_REASONS = {
  gone: 'it is not there, or cannot be read',
  empty: 'it is empty, as when a disk is not mounted',
  device: 'it is on another disk than it was',
  many: 'many of its files were gone at once',
};

/** @param {Readonly<Record<string, unknown>>} words @param {string} word */
const has = (words, word) => Object.hasOwn(words, word);

/** @param {string} type */
export const isKnownEvent = (type) => has(EVENTS, type);

/** @param {string} status */
export const isKnownStatus = (status) => has(STATUSES, status);

/**
 * Whether a job is known to be still going on. A status that the page has never heard of is not:
 * nothing is animated for it, and it is read again with every refresh.
 * @param {{ status: string }} job
 */
export const isActive = (job) => isKnownStatus(job.status) && !STATUSES[job.status].terminal;

/** @param {{ status: string }} job */
export const isTerminal = (job) => isKnownStatus(job.status) && STATUSES[job.status].terminal;

/** @param {{ queue_position?: number | null }} job */
export const isQueued = (job) => typeof job.queue_position === 'number';

/** A job that rests, and one that others go ahead of: what their status alone does not say. */
const PAUSED = {
  terminal: false, tone: 'warn', label: 'Paused', text: 'It rests until you resume it. What it has done stays.',
};
const PARKED = {
  terminal: false, tone: 'quiet', label: 'Waiting', text: 'Another job goes first; then it goes on where it was.',
};

/** @param {{ status: string, paused?: boolean, queue_position?: number | null, finished_at?: string | null }} job */
export function statusOf(job) {
  if (isActive(job) && job.paused) return PAUSED;
  if (job.status === 'running' && isQueued(job)) return PARKED;
  if (isKnownStatus(job.status)) return STATUSES[job.status];
  return {
    terminal: Boolean(job.finished_at),
    tone: 'warn',
    label: `Status “${job.status}”`,
    text: 'This page does not know that status; the server may be newer. Reload the page to be sure.',
  };
}

/** @param {string} type */
export const typeLabel = (type) => (has(TYPES, type) ? TYPES[type] : `Job “${type}”`);

/** @param {{ type: string, dry_run?: boolean }} job */
export const jobLabel = (job) => (job.dry_run ? `Dry run: ${typeLabel(job.type).toLowerCase()}` : typeLabel(job.type));

/** @param {string | null | undefined} reason */
export const rootReason = (reason) => (reason && has(ROOT_REASONS, reason) ? ROOT_REASONS[reason] : reason || 'no reason was given');

/** @param {string} phase */
export const phaseLabel = (phase) => (has(PHASES, phase) ? PHASES[phase] : phase);

/** @param {{ code: string, error?: string | null }} failure */
export function failureText(failure) {
  if (has(FAILURES, failure.code)) return FAILURES[failure.code];
  return failure.error || `it failed for a reason that this page does not know (${failure.code})`;
}

/** FFmpeg's names, as people write them. @type {Words} */
const CODECS = {
  h264: 'H.264', hevc: 'HEVC', av1: 'AV1', vp8: 'VP8', vp9: 'VP9', mpeg4: 'MPEG-4', mpeg2video: 'MPEG-2', mpeg1video: 'MPEG-1',
  theora: 'Theora', vc1: 'VC-1', wmv1: 'WMV 7', wmv2: 'WMV 8', wmv3: 'WMV 9', flv1: 'FLV1', h263: 'H.263', prores: 'ProRes', dnxhd: 'DNxHD',
  mjpeg: 'MJPEG', ffv1: 'FFV1', dvvideo: 'DV', rawvideo: 'raw', vvc: 'VVC',
  aac: 'AAC', ac3: 'AC-3', eac3: 'E-AC-3', dts: 'DTS', truehd: 'TrueHD', mp3: 'MP3', mp2: 'MP2', opus: 'Opus', vorbis: 'Vorbis', flac: 'FLAC',
  alac: 'ALAC', pcm_s16le: 'PCM', pcm_s24le: 'PCM', wmav2: 'WMA', amr_nb: 'AMR',
  subrip: 'SRT', ass: 'ASS', webvtt: 'WebVTT', mov_text: 'tx3g', hdmv_pgs_subtitle: 'PGS', dvd_subtitle: 'VobSub', dvb_subtitle: 'DVB',
};

/** @type {Words} */
const HDR = { hdr10: 'HDR10', 'hdr10+': 'HDR10+', hlg: 'HLG', 'dolby-vision': 'Dolby Vision', pq: 'PQ' };

/** @param {string | null | undefined} name */
export const codec = (name) => (name && Object.hasOwn(CODECS, name) ? CODECS[name] : name || '–');

/** @param {string} format */
export const hdr = (format) => (Object.hasOwn(HDR, format) ? HDR[format] : format.toUpperCase());

/** @param {Video} video */
export const codecs = (video) => [video.video_codec, video.audio_codec].filter(Boolean).map(codec).join(' / ') || '–';

const tongue = typeof Intl.DisplayNames === 'function' ? new Intl.DisplayNames(['en'], { type: 'language', fallback: 'none' }) : null;

/** The English name of a language of three or two letters, or the letters. @param {string} code */
export function language(code) {
  try {
    return tongue?.of(code) ?? code;
  } catch {
    return code; // no language tag at all
  }
}

/** Containers whose name is longer than what people call it. @type {Words} */
const KINDS = { mpegts: 'ts', mpeg: 'mpg', matroska: 'mkv' };

/** What stands on the placeholder: the container, large, and the codec. @param {Video} video @returns {[string, string]} */
export function glyph(video) {
  const kind = container(video.container, video.filename);
  return [kind === '–' ? '?' : (KINDS[kind] ?? kind.slice(0, 4)).toUpperCase(), video.video_codec ? codec(video.video_codec) : ''];
}

/** A hue for a name: the same name always has the same one. @param {string} name @returns {number} degrees */
export function hue(name) {
  let hash = 0x811c9dc5; // FNV-1a
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193);
  return (hash >>> 8) % 360;
}
