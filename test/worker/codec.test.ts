// Tests that the payloads in Temporal are encrypted, and that keys can be rotated. Also tests that
// the codec server answers Temporal's Web UI, and refuses pages of other origins.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join } from 'node:path';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anchorsIn, decrypted } from '../../src/cli/support/evidence-anchors.js';
import { serveCodec } from '../../src/cli/codec-server.js';
import { EncryptingCodec, type CodecKey } from '../../src/clients/payload-codec.js';
import { readCodec } from '../../src/wiring/codec-keys.js';
import { freeAddress } from '../../src/wiring/worker-endpoint.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const aKey = (id: string): CodecKey => ({ id, key: randomBytes(32) });
const [OLD, NEW] = [aKey('k1'), aKey('k2')];
const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);
const valueOf = (from: Parameters<typeof defaultPayloadConverter.fromPayload>[0]): unknown =>
  defaultPayloadConverter.fromPayload(from);

describe('the codec', () => {
  it('hides values, and encrypts the same value to different bytes each time', async () => {
    const codec = new EncryptingCodec([OLD]);
    const secret = payload({ host: 'db.internal' });
    const [first, second] = await codec.encode([secret, secret]);
    expect(Buffer.from(first!.data!).toString()).not.toContain('internal');
    expect(Buffer.from(first!.data!).equals(Buffer.from(second!.data!))).toBe(false);
    expect(valueOf((await codec.decode([first!]))[0]!)).toEqual({ host: 'db.internal' });
  });
  it('rotates keys: the new key encrypts, and the old key still decrypts', async () => {
    const [before] = await new EncryptingCodec([OLD]).encode([payload(1)]);
    const rotated = new EncryptingCodec([NEW, OLD]);
    expect(valueOf((await rotated.decode([before!]))[0]!)).toBe(1);
    const [after] = await rotated.encode([payload(2)]);
    await expect(new EncryptingCodec([OLD]).decode([after!])).rejects.toThrow(
      'encrypted with key "k2", which SLUICE_CODEC_KEYS does not name',
    );
  });
  it('reads payloads of runs that began without encryption', async () => {
    const plain = payload('plain');
    expect(await new EncryptingCodec([OLD]).decode([plain])).toEqual([plain]);
  });
  it('refuses a payload that was changed, or that a different key with the same id encrypted', async () => {
    const [sealed] = await new EncryptingCodec([OLD]).encode([payload(1)]);
    const changed = Buffer.from(sealed!.data!);
    changed[changed.length - 1]! ^= 1;
    for (const [codec, data] of [
      [new EncryptingCodec([OLD]), changed],
      [new EncryptingCodec([aKey('k1')]), sealed!.data!],
    ] as const)
      await expect(codec.decode([{ ...sealed!, data }])).rejects.toThrow('cannot be decrypted');
  });
  it('lets `sluice report verify` read the digests of windows in an encrypted history', async () => {
    const codec = new EncryptingCodec([OLD]);
    const payloads = await codec.encode([payload({ number: 1, chain: 'aa' })]);
    const events = [
      { eventId: 5, activityTaskScheduledEventAttributes: { activityType: { name: 'runWindow' } } },
      { activityTaskCompletedEventAttributes: { scheduledEventId: 5, result: { payloads } } },
    ];
    expect(anchorsIn(await decrypted(events, codec))).toEqual([{ number: 1, chain: 'aa' }]);
  });
});

describe('the keys of the codec', () => {
  it('come from the variables and files that SLUICE_CODEC_KEYS names, and the first key encrypts', async () => {
    const file = join(temporaryFolder('sluice-key-'), 'key');
    writeFileSync(file, `${NEW.key.toString('base64')}\n`);
    const env = {
      SLUICE_CODEC_KEYS: `k2=file:${file};k1=env:OLD_KEY`,
      OLD_KEY: OLD.key.toString('base64'),
    };
    const problems: string[] = [];
    const [sealed] = await readCodec(env, problems)!.encode([payload(1)]);
    expect(problems).toEqual([]);
    expect(valueOf((await new EncryptingCodec([NEW]).decode([sealed!]))[0]!)).toBe(1);
    expect(readCodec({}, problems)).toBeNull();
  });
  it.each([
    ['k1=env:MISSING', 'key k1: variable MISSING is not set'],
    ['k1=file:/nowhere/key', 'key k1: ENOENT'],
    [
      'k1=env:SHORT',
      'key k1 has 3 bytes after base64 decoding, but needs 32; make one with: openssl rand -base64 32',
    ],
    ['c2VjcmV0', 'each entry must be ID=env:NAME or ID=file:PATH'],
  ])('are refused if wrong, without being shown: %s', (keys, reason) => {
    const problems: string[] = [];
    readCodec({ SLUICE_CODEC_KEYS: keys, SHORT: 'c2Vj' }, problems);
    expect(problems.join()).toContain(reason);
    expect(problems.join()).not.toContain('c2Vj');
  });
});

describe('the codec server', () => {
  const UI = 'https://ui.internal';
  const codec = new EncryptingCodec([OLD]);
  let server: Server;
  let address: string;
  beforeAll(async () => {
    address = await freeAddress();
    server = await serveCodec(codec, address, UI);
  });
  afterAll(() => void server.close());
  const post = (path: string, body: string, origin = UI): Promise<Response> =>
    fetch(`http://${address}${path}`, { method: 'POST', headers: { origin }, body });
  const wire = ({ metadata, data }: ReturnType<typeof payload>) => ({
    metadata: { encoding: Buffer.from(metadata!['encoding']!).toString('base64') },
    data: Buffer.from(data!).toString('base64'),
  });

  it('encrypts and decrypts payloads in the form that the Web UI uses', async () => {
    const plain = { payloads: [wire(payload('shown'))] };
    const sealed = await (await post('/encode', JSON.stringify(plain))).text();
    expect(sealed).not.toContain(plain.payloads[0]!.data);
    const opened = await post('/decode', sealed);
    expect(opened.headers.get('access-control-allow-origin')).toBe(UI);
    expect(await opened.json()).toEqual(plain);
  });
  it('refuses requests from other origins, for unknown paths, and with bodies that are not JSON', async () => {
    expect((await post('/decode', '{"payloads":[]}', 'https://evil.example')).status).toBe(403);
    expect((await post('/keys', '{}')).status).toBe(404);
    expect((await post('/decode', 'no JSON')).status).toBe(400);
  });
});
