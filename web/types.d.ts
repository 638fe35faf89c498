/*
 * The types of the page's modules, global for all of them: what the server sends, as far as the page uses it (web/api/openapi.json is the full description),
 * and what the modules hand to each other. Read by the type checker alone; no page loads this file.
 */

type Counts = { new: number, updated: number, moved: number, skipped: number, missing: number, failed: number };

type Failure = { path: string, path_uri?: string, code: string, error: string };

type FailurePage = { failures: Failure[], total: number, next_cursor: string | null };

interface ScanResult {
  scanned: number;
  new: number;
  updated: number;
  moved: number;
  skipped: number;
  missing: number;
  error_count: number;
  errors: Failure[] | null;
  duration_ms: number;
  /** what it did not hide, for it looked like a disk that is not there */
  refused?: Refused | null;
  /** of a dry run */
  plan?: PlanLine[] | null;
}

type PlanLine = { outcome: string, path: string, path_uri?: string, from?: string, from_uri?: string };

type Refused = { count: number, reason: string, token: string | null, root?: number };

interface Root {
  number: number;
  path: string;
  path_uri?: string;
  online: boolean;
  reason: string | null;
  scanned_at?: string | null;
  videos?: number | null;
  refused?: Refused | null;
}

type Change = { event_id: string, id: string, removed: boolean, video: Video | null };

type ChangePage = { changes: Change[], next: string, more: boolean };

type RootList = { roots: Root[] };

interface Job {
  job_id: string;
  type: string;
  status: string;
  phase: string;
  path: string;
  path_uri?: string;
  recursive?: boolean;
  dry_run?: boolean;
  trigger: string;
  paused?: boolean;
  queue_position?: number | null;
  progress: number | null;
  processed: number;
  total: number;
  counts?: Counts;
  result: ScanResult | null;
  error: string | null;
  submitted_at: string;
  started_at: string | null;
  finished_at: string | null;
}

interface Stream {
  index: number;
  kind: string;
  codec: string | null;
  profile: string | null;
  language: string | null;
  title: string | null;
  disposition: string[];
  duration_s: number | null;
  bit_rate: number | null;
  frames: number | null;
  width?: number;
  height?: number;
  rotation?: number;
  sample_aspect_ratio?: string | null;
  frame_rate?: string | null;
  average_frame_rate?: string | null;
  pixel_format?: string | null;
  color_range?: string | null;
  color_space?: string | null;
  color_primaries?: string | null;
  color_transfer?: string | null;
  hdr?: string | null;
  channels?: number;
  channel_layout?: string | null;
  sample_rate?: number;
  bit_depth?: number | null;
}

type Chapter = { start_s: number | null, end_s: number | null, title: string | null };

interface Video {
  id: string;
  path: string;
  path_uri?: string;
  filename: string;
  title: string | null;
  container: string | null;
  duration_s: number | null;
  width: number | null;
  height: number | null;
  rotation: number | null;
  video_codec: string | null;
  audio_codec: string | null;
  hdr: string | null;
  file_size: number;
  bit_rate: number | null;
  duration_frames: number | null;
  frame_rate_numerator: number | null;
  frame_rate_denominator: number | null;
  subtitle_count: number;
  thumbnail: string;
  thumbnail_url: string | null;
  file_url: string | null;
  created_at: string;
  updated_at: string;
  modified_at: string | null;
  taken_at: string | null;
  missing_since: string | null;
}

type VideoFull = Video & { streams: Stream[], chapters: Chapter[] };

type VideoList = { videos: Video[], total: number };

type Facet = { value: string | null, count: number }[];

type Stats = { videos: number, duration_s: number, size: number, missing: number, failed: number, duplicates: number, by: Record<string, Facet> };

interface Explanation {
  path: string;
  status: string;
  code: string | null;
  error: string | null;
  changed: boolean;
  message: string;
}

type VideoPage = { videos: Video[], total: number, limit: number, offset: number };

/** `path_uri`: when `path` can't say all its bytes */
type Place = { path: string, path_uri?: string };

type Directory = { name: string, path: string, path_uri?: string, readable?: boolean };

type DirectoryPage = { path: string, path_uri?: string, parent: string | null, parent_uri?: string, directories: Directory[], total: number, limit: number, offset: number };

interface Frame {
  event_id: string | null;
  type: string;
  timestamp: string;
  correlation_id: string | null;
  payload: any;
}

/* ---- what the modules hand to each other ---- */

type Words = Readonly<Record<string, string>>;

type Timer = ReturnType<typeof setTimeout> | undefined;

type Requests = import('./server.js').Requests;
type Api = Requests & Calls;
type FrameEvent = import('./server.js').FrameEvent;
type Channel = import('./channel.js').Channel;
type Jobs = import('./jobs.js').Jobs;
type Roots = import('./jobs.js').Roots;
type Milestones = import('./jobs.js').Milestones;
type Pace = import('./format.js').Pace;
type Router = import('./shell.js').Router;
type DirectoryDialog = import('./scans/start.js').DirectoryDialog;
type Catalogue = import('./library/catalogue.js').Catalogue;
type Rows = import('./library/layout.js').Rows;
type Item = import('./library/shelf.js').Item;

type Query = Record<string, string | number | undefined>;

/** Each call of the API that the page makes; they throw as Requests does. */
interface Calls {
  scan(request: { path?: string, path_uri?: string, recursive: boolean, retry_failed: boolean, dry_run?: boolean }): Promise<{ job_id: string }>;
  /** `cursor`, here and below: next_cursor of the page before. */
  jobs(limit: number, cursor?: string): Promise<{ jobs: Job[], next_cursor: string | null }>;
  job(id: string): Promise<Job>;
  cancel(id: string): Promise<Job>;
  pause(id: string, paused: boolean): Promise<Job>;
  failures(id: string, limit: number, cursor?: string): Promise<FailurePage>;
  videos(query: Query, signal?: AbortSignal): Promise<VideoPage>;
  video(id: string, signal?: AbortSignal): Promise<VideoFull>;
  duplicates(id: string, signal?: AbortSignal): Promise<VideoList>;
  stats(filter: Words, signal?: AbortSignal): Promise<Stats>;
  /** Why a file is in the catalogue, or is not. */
  explain(place: Place, signal?: AbortSignal): Promise<Explanation>;
  roots(): Promise<RootList>;
  /** Hides what a scan refused to hide. */
  acceptMissing(root: number, token: string): Promise<{ missing: number }>;
  /** One page of the change feed. */
  changes(since: string): Promise<ChangePage>;
  /** No place: the top. */
  directories(place: Place | undefined, offset: number, limit: number): Promise<DirectoryPage>;
}

/** What el() takes: `text` sets the text, a function under `on…` listens, true and false set and remove an attribute; null and undefined do nothing. */
type Props = Record<string, string | number | boolean | null | undefined | ((event: any) => void)>;

type ViewName = 'library' | 'video' | 'scans' | 'activity';

/** Where one is in the page. */
type PagePlace = { view: ViewName, id: string, params: URLSearchParams };

/** The word for the way by which news comes; see Channel. */
type Mode = 'connecting' | 'live' | 'streaming' | 'polling' | 'reading' | 'reconnecting' | 'locked';

/** `beats`: the server's heartbeat is heard on it. */
type Way = { mode: Mode, open: Opener, beats: boolean };

/** Opens a connection, one of the three ways to the one stream, and tells the ear what comes of it. */
type Opener = (since: string | null, ear: Ear) => Line;

interface Ear {
  /** Something came, if only a sign of life. */
  alive(): void;
  /** In order; raw: its text, null where it did not come as a text of its own. */
  frame(frame: Frame, raw: string | null): void;
  /** One answer of a long poll: `next` covers all frames told so far; recovered false: it did not reach back to `since`. */
  answered(next: string, recovered: boolean): void;
  /** Nothing more comes; a status where the server refused with one. */
  ended(status: number | null): void;
}

interface Line {
  /** Ends it; its ear is told nothing more. */
  close(): void;
  /** Asks the server for a sign of life; false: there is no way to ask. */
  probe(): boolean;
}

/** What is known of a job. */
interface JobView {
  job: Job;
  /** The file at hand, when the channel told it. */
  at: string | null;
  /** The latest, by path. */
  failures: Map<string, Failure>;
  /** Changes with `failures`. */
  failuresVersion: number;
  pace: Pace;
  milestones: Milestones;
  /** The server does not know it any more. */
  gone: boolean;
  /** Started or ended while the page was open: shown unfolded. */
  fresh: boolean;
  /** Number of the last frame about it. */
  mark: number;
  /** When the server last said how it is (ms since the epoch). */
  seen: number;
}

/** A frame that the activity view keeps. */
interface Entry {
  /** Counts from 1 for the first frame that came. */
  number: number;
  type: string;
  topic: string;
  /** Of a durable event. */
  id: string | null;
  job: string | null;
  /** When it came, to the millisecond. */
  time: string;
  raw: string;
}

/** Which frames one wants to see; empty: all. */
type Filter = { type: string, topic: string, job: string, text: string };

type Layout = 'grid' | 'table';

/** What is asked of the library. */
type Question = { q: string, sort: string, order: string, layout: Layout, filters: Words };

/** `ids`: what is in view, and where. */
type Anchor = { index: number, ids: Map<string, number> };

/** `row` with its gap; px. */
type Measures = { columns: number, row: number, gap: number, width: number };

/** A place in the list, and how far it is below the top of the view. */
type Position = { index: number, below: number };

/** A small picture of a storyboard; seconds and px. */
type Tile = { start: number, end: number, sheet: string, x: number, y: number, w: number, h: number };
