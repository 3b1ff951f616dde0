// Tests how a worker registers search attributes. If it lacks the right to list or to register
// them, it starts anyway. It then reports the attributes that are or may be missing, and the
// commands that register them.
import { describe, expect, it } from 'vitest';
import { SEARCH_ATTRIBUTES } from '../src/domain/migration/search-attribute-names.js';
import { ensureSearchAttributes } from '../src/wiring/register-search-attributes.js';

const TYPES = { Keyword: 2, Int: 3, Double: 4, Bool: 5 } as const;
const ALL = Object.fromEntries(
  Object.entries(SEARCH_ATTRIBUTES).map(([name, type]) => [name, TYPES[type]]),
);
const denied = () => Promise.reject(new Error('7 PERMISSION_DENIED: Request unauthorized.'));

async function said(
  customAttributes: Record<string, number> | null,
  adds = true,
): Promise<{ lines: string; added: string[] }> {
  const lines: string[] = [];
  const added: string[] = [];
  const operator = {
    listSearchAttributes: () =>
      customAttributes ? Promise.resolve({ customAttributes }) : denied(),
    addSearchAttributes: ({ searchAttributes }: { searchAttributes: object }) =>
      adds ? Promise.resolve(void added.push(...Object.keys(searchAttributes))) : denied(),
  };
  await ensureSearchAttributes(
    operator as unknown as Parameters<typeof ensureSearchAttributes>[0],
    'prod',
    (line) => lines.push(line),
  );
  return { lines: lines.join('\n'), added };
}

describe('search attributes', () => {
  it('need no registration if all of them exist', async () =>
    expect(await said(ALL)).toEqual({ lines: '', added: [] }));
  it('are registered if they are missing', async () => {
    const { SluiceLagMs, ...others } = ALL;
    expect(await said(others)).toEqual({
      lines: 'registered search attributes SluiceLagMs',
      added: ['SluiceLagMs'],
    });
    expect(SluiceLagMs).toBe(TYPES.Int);
  });
  it('all appear in the log, with the commands of `temporal` and `tcld`, if they cannot be listed', async () => {
    const { lines } = await said(null);
    expect(lines).toContain('cannot be listed (7 PERMISSION_DENIED');
    expect(lines).toContain(
      'temporal operator search-attribute create --namespace prod --name SluicePhase --type Keyword',
    );
    expect(lines).toContain(
      'tcld namespace search-attributes add --namespace prod --search-attribute "SluicePhase=Keyword"',
    );
  });
  it('appear in the log if they are missing and cannot be registered', async () => {
    const { SluiceLagMs: _lag, ...others } = ALL;
    const { lines } = await said(others, false);
    expect(lines).toContain('has no search attributes SluiceLagMs (Int)');
    expect(lines).not.toContain('SluicePhase');
  });
  it('appear in the log if they have a wrong type', async () =>
    expect((await said({ ...ALL, SluicePhase: TYPES.Int })).lines).toContain(
      'do not have the types SluicePhase (Keyword)',
    ));
});
