import { randomBytes } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { done, type Result, refuse } from '@rostrum/shared/result.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pipePath } from '../../src/cluster/pipe-protocol.ts';
import { createPipePeers, type PipePeersOptions } from '../../src/gateway/internal/internal-client.ts';
import { type InternalServer, startInternalServer } from '../../src/gateway/internal/internal-server.ts';
import { replyTo, seal, unseal } from '../../src/gateway/internal/seal.ts';
import type { PipeDemand, PipeEnd, PipeOffer } from '../../src/media/media-plane.ts';
import { newId } from '../../src/runtime/ids.ts';
import { createPino } from '../../src/runtime/logger.ts';

const secret = randomBytes(32);
const now = Date.UTC(2030, 0, 1);

const end = (ip = '10.0.0.7'): PipeEnd => ({
  ip,
  port: 50_000,
  srtpParameters: { cryptoSuite: 'AEAD_AES_256_GCM', keyBase64: randomBytes(44).toString('base64') },
});

const demand: PipeDemand = { roomId: newId(), sequence: 7, transport: end(), producerIds: ['one', 'two'] };

const offer: PipeOffer = {
  transport: end('2001:db8::7'),
  producers: [
    {
      producerId: 'one',
      rtpParameters: {
        codecs: [
          { mimeType: 'audio/opus', payloadType: 111, clockRate: 48_000, channels: 2, parameters: { usedtx: 1 } },
        ],
        headerExtensions: [{ uri: 'urn:ietf:params:rtp-hdrext:ssrc-audio-level', id: 10 }],
        encodings: [{ ssrc: 1234, dtx: true }],
      },
    },
  ],
};

describe('what nodes ask each other', () => {
  let server: InternalServer;
  let served: { from: string; demand: PipeDemand }[];
  let said: Record<string, unknown>[];
  /** How far the server's clock has come since the beginning. */
  let laterMs: number;
  let answer: Result<PipeOffer>;
  const closing: (() => unknown)[] = [];

  beforeEach(async () => {
    served = [];
    said = [];
    laterMs = 0;
    answer = done(offer);
    server = await startInternalServer({
      self: 'south',
      host: '127.0.0.1',
      port: 0,
      secret,
      servePipe: async (from, asked) => {
        served.push({ from, demand: asked });
        return answer;
      },
      clock: { now: () => now + laterMs },
      loggerInstance: pino({ level: 'warn' }, { write: (line: string) => said.push(JSON.parse(line)) }),
    });
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
    await server.close();
  });

  const url = (path: string = pipePath) => `http://127.0.0.1:${server.port}${path}`;

  const peers = (options: Partial<PipePeersOptions> = {}) =>
    createPipePeers({
      self: 'north',
      secret,
      addressOf: () => `127.0.0.1:${server.port}`,
      clock: { now: () => now },
      logger: createPino('silent'),
      ...options,
    });

  const post = (body: Uint8Array, type = 'application/octet-stream') =>
    fetch(url(), { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(body) });

  /** What the server answers to this message, sealed with the right secret. */
  const say = async (message: unknown): Promise<unknown> => {
    const sealed = seal(secret, message, pipePath);
    const response = await post(sealed);
    return unseal(secret, new Uint8Array(await response.arrayBuffer()), replyTo(sealed))?.message;
  };
  const request = { from: 'north', to: 'south', at: now, demand };

  /** Something else than a node, at another address. */
  const stranger = async (answers: RequestListener): Promise<string> => {
    const other = createServer(answers).listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    closing.push(() => {
      other.closeAllConnections();
      other.close();
    });
    return `127.0.0.1:${(other.address() as AddressInfo).port}`;
  };

  test('MD-2 a demand reaches the other node with the name of who asks, and its offer comes back', async () => {
    expect(await peers().request('south', demand)).toEqual(done(offer));
    expect(served).toEqual([{ from: 'north', demand }]);
    answer = refuse('node_full');
    expect(await peers().request('south', { ...demand, producerIds: [] })).toEqual(refuse('node_full'));
  });

  test('SE-6 another secret is refused, said once, counted, and learns nothing', async () => {
    for (let times = 0; times < 3; times += 1)
      expect(await peers({ secret: randomBytes(32) }).request('south', demand)).toEqual(refuse('unauthorized'));
    const response = await post(seal(randomBytes(32), request, pipePath));
    expect([response.status, await response.text()]).toEqual([401, '']);
    expect(served).toEqual([]);
    const msg = 'a request between nodes was not made with the secret of this cluster';
    expect(said).toMatchObject([{ msg, times: 1 }]);
    laterMs = 60_000;
    await post(seal(randomBytes(32), request, pipePath));
    expect(said).toMatchObject([{ times: 1 }, { msg, times: 4 }]);
  });

  test('SE-6 nothing that was changed, shortened or meant for something else is taken', async () => {
    const sealed = seal(secret, request, pipePath);
    const wrong = [
      seal(secret, request, '/another/path'),
      Buffer.from(JSON.stringify(request)),
      Buffer.alloc(0),
      sealed.subarray(0, 40),
      sealed.subarray(0, -1),
      ...[0, 31, 32, 47, 48, sealed.length - 1].map((index) => {
        const changed = Buffer.from(sealed);
        changed[index] = (changed[index] ?? 0) ^ 1;
        return changed;
      }),
    ];
    for (const body of wrong) expect((await post(body)).status).toBe(401);
    expect(served).toEqual([]);
    expect((await post(sealed)).status).toBe(200);
  });

  test('SE-4 neither keys nor rooms are to be read on the way, and no two messages are alike', async () => {
    const seen: string[] = [];
    const address = await stranger((message, response) => {
      message.on('data', (chunk: Buffer) => seen.push(chunk.toString('latin1')));
      message.on('end', () => response.end());
    });
    for (let times = 0; times < 2; times += 1) await peers({ addressOf: () => address }).request('south', demand);
    expect(seen).toHaveLength(2);
    expect(seen[0]).not.toBe(seen[1]);
    for (const text of seen)
      for (const hidden of [demand.roomId, demand.transport.srtpParameters.keyBase64, secret.toString('latin1')])
        expect(text).not.toContain(hidden);
    await peers({ secret: randomBytes(32) }).request('south', demand);
    expect(JSON.stringify(said)).not.toContain(secret.toString('base64'));
  });

  test('SE-1 a message of the right secret is checked all the same: known fields, each bounded', async () => {
    const { transport } = demand;
    const wrong: unknown[] = [
      null,
      'demand',
      { ...request, more: 1 },
      { ...request, demand: { ...demand, more: 1 } },
      { ...request, from: 'a node' },
      { ...request, from: '' },
      { ...request, demand: { ...demand, roomId: 'short' } },
      { ...request, demand: { ...demand, sequence: -1 } },
      { ...request, demand: { ...demand, producerIds: Array.from({ length: 132 }, () => 'one') } },
      { ...request, demand: { ...demand, producerIds: ['../one'] } },
      { ...request, demand: { ...demand, transport: { ...transport, ip: 'node.example' } } },
      { ...request, demand: { ...demand, transport: { ...transport, port: 0 } } },
      { ...request, demand: { ...demand, transport: { ...transport, port: 65_536 } } },
      ...['AES_CM_128_HMAC_SHA1_80', ''].map((cryptoSuite) => ({
        ...request,
        demand: {
          ...demand,
          transport: { ...transport, srtpParameters: { ...transport.srtpParameters, cryptoSuite } },
        },
      })),
      {
        ...request,
        demand: {
          ...demand,
          transport: { ...transport, srtpParameters: { ...transport.srtpParameters, keyBase64: 'short' } },
        },
      },
    ];
    for (const message of wrong) expect(await say(message)).toEqual({ ok: false, code: 'invalid' });
    expect(served).toEqual([]);
    const most = { ...demand, producerIds: Array.from({ length: 131 }, () => newId()) };
    expect(await say({ ...request, demand: most })).toEqual({ ok: true, offer });
  });

  test('SE-1 the size is limited before anything is read, and there is nothing else to ask for', async () => {
    expect((await post(randomBytes(16 * 1024 + 1))).status).toBe(413);
    expect((await post(Buffer.from('{}'), 'application/json')).status).toBe(415);
    expect((await post(Buffer.from('text'), 'text/plain')).status).toBe(415);
    for (const path of ['/', pipePath, '/internal/v2/pipe', '/metrics']) {
      const response = await fetch(url(path));
      expect([response.status, await response.text()]).toEqual([404, '']);
    }
    expect((await fetch(url('/healthz'))).status).toBe(200);
  });

  test('RE-1 a clock that is far off is refused, and said', async () => {
    for (const at of [now - 30_001, now + 30_001])
      expect(await peers({ clock: { now: () => at } }).request('south', demand)).toEqual(refuse('unauthorized'));
    expect(said).toMatchObject([{ msg: 'the clock of another node is too far from the one here', from: 'north' }]);
    for (const at of [now - 30_000, now + 30_000])
      expect(await peers({ clock: { now: () => at } }).request('south', demand)).toEqual(done(offer));
    expect(served).toHaveLength(2);
  });

  test('RE-1 what is meant for another node is not answered, nor one that has the same name', async () => {
    expect(await peers().request('east', demand)).toEqual(refuse('not_found'));
    expect(await peers({ self: 'south' }).request('south', demand)).toEqual(refuse('conflict'));
    expect(said).toMatchObject([
      { to: 'east', from: 'north' },
      { from: 'south', msg: 'another node has the name of this one' },
    ]);
    expect(served).toEqual([]);
  });

  test('SE-6 an answer counts only for the request that it was made for', async () => {
    const bodies: Buffer[] = [];
    let mode: 'record' | 'replay' = 'record';
    const address = await stranger(async (message, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of message) chunks.push(chunk as Buffer);
      if (mode === 'record') bodies.push(Buffer.from(await (await post(Buffer.concat(chunks))).arrayBuffer()));
      response.end(bodies[0]);
    });
    const through = peers({ addressOf: () => address });
    expect(await through.request('south', demand)).toEqual(done(offer));
    mode = 'replay';
    expect(await through.request('south', demand)).toEqual(refuse('unavailable'));
  });

  test('RE-3 whatever is wrong with the other side, the answer comes in time', async () => {
    const silent = await stranger(() => undefined);
    const trickling = await stranger((_message, response) => {
      response.write('x');
    });
    const endless = await stranger((_message, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(64 * 1024)));
      };
      response.on('drain', more);
      more();
    });
    const elsewhere = await stranger((_message, response) => response.writeHead(307, { location: url() }).end());
    const broken = await stranger((message) => message.destroy());
    const empty = await stranger((_message, response) => response.end());
    const closed = `127.0.0.1:${server.port}`;
    await server.close();
    const addresses = [silent, trickling, endless, elsewhere, broken, empty, closed, 'not an address', undefined];
    for (const address of addresses)
      expect(await peers({ addressOf: () => address, timeoutMs: 300 }).request('south', demand)).toEqual(
        refuse('unavailable'),
      );
  });

  test('OP-4 an address that is taken is said at the start', async () => {
    await expect(
      startInternalServer({
        self: 'south',
        host: '127.0.0.1',
        port: server.port,
        secret,
        servePipe: async () => answer,
        clock: { now: () => now },
        loggerInstance: createPino('silent'),
      }),
    ).rejects.toThrow(/EADDRINUSE/);
  });
});
