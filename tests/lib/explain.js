// Asks why a file is in the catalogue, or is not.
import assert from 'node:assert/strict';

/** The bytes of a path, percent-encoded as the service does it. */
export function percent(bytes) {
  return [...Buffer.from(bytes)].map((b) => (b < 128 && /[A-Za-z0-9\-._~/]/.test(String.fromCharCode(b))
    ? String.fromCharCode(b) : `%${b.toString(16).toUpperCase().padStart(2, '0')}`)).join('');
}

/** The explanation of a path, given as a text or as bytes. */
export async function explain(daemon, file) {
  const { status, body } = await daemon.get(`/api/v1/explain?path_uri=${encodeURIComponent(percent(file))}`);
  assert.equal(status, 200, `${file}: ${JSON.stringify(body)}`);
  assert.ok(body.message.length > 20 && !/[\0\n]$/.test(body.message), body.message);
  return body;
}
