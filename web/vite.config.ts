import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import preact from '@preact/preset-vite';
import { defineConfig, type Plugin } from 'vite';

const server = 'http://localhost:3000';

/**
 * What mediasoup-client brings along and no page of ours can reach, as imported in it: a handler for React Native, one for Chrome before
 * 111 (WB-10: the last two versions), and a fake one for its own tests; how profiles of H.264 are compared, where all that it is
 * given is Opus; and a way to log that a developer has to switch on in the browser. Together they are a fifth of it (WB-7).
 */
const unreachable =
  /^(\.\/(handlers\/(ReactNative106|Chrome74|FakeHandler)|test\/fakeParameters)|h264-profile-level-id|debug)$/;
const from = /\/(mediasoup-client|awaitqueue)\//;
/** A log that is off, for whoever makes one; of anything else there is nothing. */
const nothing = '\0nothing';
const substitute = 'export default () => () => undefined;';

const withoutUnreachable = (): Plugin => ({
  name: 'rostrum:without-unreachable',
  enforce: 'pre',
  resolveId(source, importer = '') {
    return unreachable.test(source) && from.test(importer) ? nothing : null;
  },
  load(id) {
    return id === nothing ? substitute : null;
  },
});

/**
 * Beside every file its compressed forms, made once and as small as can be; the server sends them as they are. They are
 * made of what was written: Vite still changes files after every plugin has seen them.
 */
const compressed = (): Plugin => ({
  name: 'rostrum:compressed',
  apply: 'build',
  writeBundle({ dir = 'dist' }) {
    for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
      if (!/\.(css|html|js|svg)$/.test(name)) continue;
      const file = path.join(dir, name);
      const source = readFileSync(file);
      writeFileSync(`${file}.gz`, gzipSync(source, { level: 9 }));
      writeFileSync(`${file}.br`, brotliCompressSync(source));
    }
  },
});

export default defineConfig({
  plugins: [preact(), withoutUnreachable(), compressed()],
  build: {
    outDir: 'dist',
    // The last two versions of every browser at the time of writing know all of these (WB-10).
    target: ['chrome125', 'edge125', 'firefox128', 'safari18'],
    sourcemap: false,
    // A file inside another as a data: address would need an exception in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: {
    proxy: {
      '/api': { target: server },
      '/socket.io': { target: server, ws: true },
    },
  },
});
