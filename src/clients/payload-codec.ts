// Encrypts the payloads of workflows with AES-256-GCM, so that Temporal and its UI see only
// ciphertext. Keys rotate: the first key encrypts, and every key decrypts.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';

const { Payload: Wire } = proto.temporal.api.common.v1;
const ENCODING = 'binary/encrypted';
const KEY_ID = 'encryption-key-id';
const IV_BYTES = 12;
const TAG_BYTES = 16;
export const KEY_BYTES = 32;

export interface CodecKey {
  readonly id: string;
  readonly key: Buffer;
}

const textOf = (bytes: Uint8Array | null | undefined): string =>
  Buffer.from(bytes ?? []).toString();

export class EncryptingCodec implements PayloadCodec {
  readonly #current: CodecKey;
  readonly #keys: ReadonlyMap<string, Buffer>;

  /** The first key encrypts. There is at least one key. */
  constructor(keys: readonly [CodecKey, ...CodecKey[]]) {
    this.#current = keys[0];
    this.#keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(payloads.map((payload) => this.#encrypt(payload)));
  }

  /**
   * Decrypts payloads. A payload that was not encrypted stays as it is, so that runs that began
   * without encryption can continue. Rejects if a key is missing, or if a payload was changed.
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => this.#decrypt(payload));
  }

  #encrypt(payload: Payload): Payload {
    const { id, key } = this.#current;
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id));
    const plain = Wire.encode(payload).finish();
    const body = Buffer.concat([cipher.update(plain), cipher.final()]);
    return {
      metadata: { encoding: Buffer.from(ENCODING), [KEY_ID]: Buffer.from(id) },
      data: Buffer.concat([iv, cipher.getAuthTag(), body]),
    };
  }

  #decrypt(payload: Payload): Payload {
    if (textOf(payload.metadata?.['encoding']) !== ENCODING) return payload;
    const id = textOf(payload.metadata?.[KEY_ID]);
    const key = this.#keys.get(id);
    if (!key)
      throw new Error(
        `a payload was encrypted with key "${id}", which SLUICE_CODEC_KEYS does not name`,
      );
    const data = Buffer.from(payload.data ?? []);
    try {
      const iv = data.subarray(0, IV_BYTES);
      const decipher = createDecipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(id));
      decipher.setAuthTag(data.subarray(IV_BYTES, IV_BYTES + TAG_BYTES));
      const body = data.subarray(IV_BYTES + TAG_BYTES);
      return Wire.decode(Buffer.concat([decipher.update(body), decipher.final()]));
    } catch {
      throw new Error(
        `a payload cannot be decrypted with key "${id}": this process has a different key of that name, or the payload was changed`,
      );
    }
  }
}
