// Tests how the id of the Temporal namespace is read. Without the id, namespaces of the same name
// on two clusters look the same.
import { describe, expect, it } from 'vitest';
import { namespaceId } from '../../src/clients/temporal-namespace.js';

const refusing = (code: number) => ({
  describeNamespace: () => Promise.reject(Object.assign(new Error(`code ${code}`), { code })),
});

describe('the id of a namespace', () => {
  it('is the id that the cluster gave it', async () => {
    const service = { describeNamespace: () => Promise.resolve({ namespaceInfo: { id: 'n1' } }) };
    expect(await namespaceId(service, 'default')).toBe('n1');
  });

  it.each([7, 12, 16])(
    'is null if the server denies it or does not offer it (gRPC code %i)',
    async (code) => {
      expect(await namespaceId(refusing(code), 'default')).toBeNull();
    },
  );

  it.each([4, 14])(
    'is unknown, and the error is thrown, if the server does not answer (gRPC code %i)',
    async (code) => {
      await expect(namespaceId(refusing(code), 'default')).rejects.toThrow(`code ${code}`);
    },
  );
});
