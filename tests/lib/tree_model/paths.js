// Paths of the tree model: strings with one character for each byte (latin1), since a name on disk need not be UTF-8.
import path from 'node:path';

export const bytes = (file) => Buffer.from(file, 'latin1');
export const fromBytes = (buffer) => buffer.toString('latin1');
export const fromText = (text) => Buffer.from(text, 'utf8').toString('latin1');

export const join = (folder, name) => `${folder}/${name}`;
export const folderOf = (file) => file.slice(0, file.lastIndexOf('/'));
export const nameOf = (file) => file.slice(file.lastIndexOf('/') + 1);
export const beneath = (folder, file) => file === folder || file.startsWith(`${folder}/`);

/** Lower case, without the dot, as the service understands names. */
export const extensionOf = (file) => path.extname(nameOf(file)).slice(1).toLowerCase();

/** What REST says of a path, as bytes. */
export function said({ path: text, path_uri: uri }) {
  if (uri === undefined) return fromText(text);
  return uri.replace(/%([0-9A-Fa-f]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
}

/** The lossless form that REST takes. */
export function uriOf(file) {
  return [...bytes(file)].map((b) => (/[A-Za-z0-9\-._~/]/.test(String.fromCharCode(b)) && b < 128
    ? String.fromCharCode(b) : `%${b.toString(16).toUpperCase().padStart(2, '0')}`)).join('');
}

/** For messages: readable, and still exact. */
export const show = (file) => JSON.stringify(file);
