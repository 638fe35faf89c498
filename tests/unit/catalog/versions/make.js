// Makes the catalogue and the manifest of the present version; see README.md here.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Daemon, makeVideo } from '../../../lib/daemon.js';
import { folder, readAll } from '../../../lib/versions.js';

// Nothing of the machine is to stand in the catalogue: its paths are those of a library on a file system of its own.
const media = '/media';
execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', media]);
const temp = fs.mkdtempSync('/tmp/reeld-version-');
const text = (name, content) => {
  fs.writeFileSync(path.join(temp, name), content);
  return path.join(temp, name);
};
const words = text('a.srt', '1\n00:00:00,000 --> 00:00:01,000\nHello\n');
const chapters = text('chapters', ';FFMETADATA1\ntitle=First Light\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=400\ntitle=One\n'
  + '[CHAPTER]\nTIMEBASE=1/1000\nSTART=400\nEND=1000\ntitle=Zwei\n');
const names = ['films/Plain.mp4', 'films/Straße bei Nacht ü.mkv', 'films/日本 2019.webm', 'films/10 Ten.avi', 'films/9 Nine.mov', 'home/Gone.mp4'];
const webm = ['-c:v', 'libvpx', '-c:a', 'libvorbis'];
for (const name of names) makeVideo(path.join(media, name), { seconds: 0.4, extra: name.endsWith('webm') ? webm : [] });
execFileSync('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', makeVideo(path.join(temp, 'light.mkv')), '-i', words, '-i', chapters, '-map', '0',
  '-map', '1', '-map_metadata', '2', '-metadata:s:s:0', 'language=ger', '-c:v', 'copy', '-c:a', 'copy', path.join(media, 'films/Light.mkv')]);
fs.copyFileSync(path.join(media, 'films/Plain.mp4'), Buffer.concat([Buffer.from('/media/home/not-utf8-'), Buffer.from([0xff]), Buffer.from('.mp4')]));
fs.writeFileSync(path.join(media, 'home/Empty.mp4'), '');
fs.writeFileSync(path.join(media, 'home/Words.mkv'), 'words '.repeat(99));
fs.writeFileSync(path.join(media, 'home/Half.mp4'), fs.readFileSync(path.join(media, 'films/Plain.mp4')).subarray(0, 9000));
execFileSync('find', [media, '-exec', 'touch', '-d', '@1600000000', '{}', '+']);

const daemon = await Daemon.start({ dir: temp });
await daemon.wait(await daemon.scan(path.join(media, 'films')));
await daemon.wait(await daemon.scan(media));
for (const video of await daemon.videos()) {
  if (video.filename === 'Gone.mp4') await daemon.request('DELETE', `/api/v1/videos/${video.id}`);
}
fs.utimesSync(path.join(media, 'films/10 Ten.avi'), 1.7e9, 1.7e9);
await daemon.wait(await daemon.scan(path.join(media, 'films'), { recursive: false }));
const manifest = await readAll(daemon);
await daemon.stop();
const made = path.join(temp, 'catalog.db');
const sql = (statement) => execFileSync('sqlite3', [made, statement], { encoding: 'utf8' }).trim();
sql('PRAGMA journal_mode = DELETE; VACUUM;');
const version = sql('PRAGMA user_version');
fs.copyFileSync(made, path.join(folder, `${version}.db`));
fs.writeFileSync(path.join(folder, `${version}.json`), `${JSON.stringify(manifest, null, 1)}\n`);
fs.rmSync(temp, { recursive: true });
