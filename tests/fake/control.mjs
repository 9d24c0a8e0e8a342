// Control endpoints under `/__fake/`, for tests in other processes and for the demo. Loopback only.

const LOOPBACK_ADDRESS = /^(?:127\.|::1$|::ffff:127\.)/;
const LOOPBACK_ORIGIN = /^https?:\/\/(?:localhost|127\.\d+\.\d+\.\d+|\[::1\])(?::\d+)?$/;

/** Whether a path belongs to this file. */
export const isControl = (path) => path.startsWith('/__fake/');

/**
 * Answers a control request.
 * @param {{method: string, path: string, origin?: string, remoteAddress: string, readJson: () => Promise<any>}} request
 * @param {object} fake `{journal, script, unused, reset, release, standIn, seed}`.
 * @returns {Promise<{status: number, headers: object, value: any}>}
 */
export async function control({ method, path, origin, remoteAddress, readJson }, fake) {
  const refused = !LOOPBACK_ADDRESS.test(remoteAddress ?? '') || (origin !== undefined && !LOOPBACK_ORIGIN.test(origin));
  if (refused) return { status: 403, headers: {}, value: { error: 'Control endpoints answer the loopback interface only.' } };
  const headers = origin === undefined ? {} : { 'access-control-allow-origin': origin, 'access-control-allow-headers': 'content-type', vary: 'Origin' };
  if (method === 'OPTIONS') return { status: 200, headers, value: {} };

  const routes = {
    'GET /__fake/health': () => ({ ok: true, standIn: fake.standIn, seed: fake.seed, requests: fake.journal.length, unused: fake.unused() }),
    'GET /__fake/journal': () => fake.journal,
    'POST /__fake/reset': () => {
      fake.reset();
      return { ok: true };
    },
    'POST /__fake/script': async () => {
      fake.script(await readJson());
      return { ok: true };
    },
    'POST /__fake/release': async () => {
      fake.release((await readJson()).gate);
      return { ok: true };
    },
  };
  const route = `${method} ${path}`;
  if (!Object.hasOwn(routes, route)) return { status: 404, headers, value: { error: `No control endpoint ${route}.` } };
  try {
    return { status: 200, headers, value: await routes[route]() };
  } catch (error) {
    return { status: 400, headers, value: { error: error.message } };
  }
}
