// The script and style of the page that a daemon serves: all that can be come by from `/`, as it comes over the wire.
import http from 'node:http';
import { gunzipSync } from 'node:zlib';

/** One answer with its bytes as they came: fetch would take the coding off. */
function get(url) {
  return new Promise((resolve, reject) => {
    http.get(url, { agent: false, headers: { 'accept-encoding': 'gzip' } }, (answer) => {
      const pieces = [];
      answer.on('data', (piece) => pieces.push(piece));
      answer.on('error', reject);
      answer.on('end', () => resolve({ answer, bytes: Buffer.concat(pieces) }));
    }).on('error', reject);
  });
}

/** What a page, a module or a style sheet asks for by itself: also what a module will ask for later. */
const REFERENCES = {
  html: /\b(?:src|href)="([^"]+\.(?:js|css))"/g,
  js: /\b(?:import|from)\s*\(?\s*["']([^"']+\.js)["']/g,
  css: /@import\s*(?:url\()?["']?([^"')]+\.css)/g,
};

/**
 * Follows all references; fails where one leads to nothing.
 * @returns {Promise<Map<string, { bytes: number, type: string, text: string }>>} by path, of what is script or style; bytes: as it came
 */
export async function pageFiles(url) {
  const files = new Map();
  const follow = async (path) => {
    if (files.has(path)) return;
    const kind = /\.(js|css)$/.exec(path)?.[1] ?? 'html';
    const { answer, bytes } = await get(url + path);
    if (answer.statusCode !== 200) throw new Error(`${path}: ${answer.statusCode}`);
    const text = String(answer.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes);
    if (kind !== 'html') files.set(path, { bytes: bytes.length, type: answer.headers['content-type'], text });
    for (const [, reference] of text.matchAll(REFERENCES[kind])) await follow(new URL(reference, url + path).pathname);
  };
  await follow('/');
  return files;
}

/** What files of that kind (js, css) are together, in bytes as they came. */
export function sizeOf(files, kind) {
  return [...files].filter(([path]) => path.endsWith(`.${kind}`)).reduce((sum, [, { bytes }]) => sum + bytes, 0);
}
