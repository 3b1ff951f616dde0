// Tests notices: messages to a webhook that say that a person is needed, or that a run has ended.
// They must never contain values, secrets or texts from other systems.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sendNotice } from '../../src/clients/http/webhook.js';
import { endedWithoutCleanup, noticesOf, type Notice } from '../../src/domain/evidence/notices.js';
import { aStatus } from '../support/status.js';
import { aHook, type Hook } from '../support/webhook.js';

let hook: Hook;
beforeAll(async () => {
  hook = await aHook();
});
afterAll(() => hook.close());

const BLOCKED = {
  code: 'permission-denied',
  since: '2026-01-01T00:00:00Z',
  detail: 'Key (ssn)=(123-45-6789) already exists',
  remedy: 'GRANT …',
} as const;
const kinds = (notices: readonly Notice[]): string[] => notices.map(({ kind }) => kind);

describe('the notices of a migration', () => {
  it('exist for a needed approval, an outcome and a terminated run, not for a run that continues', () => {
    expect(noticesOf(aStatus())).toEqual([]);
    expect(noticesOf(aStatus({ needsApproval: true, evidenceId: 'ev-1.1-a' }))).toMatchObject([
      { kind: 'needs-approval', key: 'needs-approval/ev-1.1-a', next: 'sluice get a' },
    ]);
    expect(kinds(noticesOf(aStatus({ outcome: 'migrated' })))).toEqual(['migrated']);
    for (const outcome of ['rolled-back', 'aborted'] as const)
      expect(noticesOf(aStatus({ outcome }))).toMatchObject([
        { kind: 'rolled-back', text: `a ended as ${outcome}.` },
      ]);
    expect(endedWithoutCleanup({ name: 'a', iteration: 2 }, 'terminated', 5)).toMatchObject({
      kind: 'ended-without-cleanup',
      next: 'sluice doctor --leftovers',
    });
  });
  it('have the same key for the same block, and a new key for a later block', () => {
    const key = (since: string): string =>
      noticesOf(aStatus({ blocked: { ...BLOCKED, since } }))[0]!.key;
    expect(key('t1')).toBe(key('t1'));
    expect(key('t1')).not.toBe(key('t2'));
  });
  it('contain the code of a block, and never its detail, which may quote values', () => {
    const notices = JSON.stringify(noticesOf(aStatus({ blocked: BLOCKED })));
    expect(notices).toContain('blocked (permission-denied)');
    expect(notices).not.toContain('6789');
  });
});

describe('a webhook', () => {
  const notice = noticesOf(aStatus({ blocked: BLOCKED }))[0]!;
  it('gets the generic form, with its token as a header', async () => {
    await sendNotice({ url: hook.url, format: 'generic', token: 't0k3n' }, notice);
    const { headers, body } = hook.requests.at(-1)!;
    expect(headers.authorization).toBe('Bearer t0k3n');
    expect(JSON.parse(body)).toEqual({
      apiVersion: 'sluice.dev/v1alpha1',
      kind: 'blocked',
      migration: 'a',
      iteration: 1,
      text: notice.text,
      next: 'sluice explain a',
    });
  });
  it("gets Slack's form, with Slack's markup characters escaped", async () => {
    const text = 'x <!channel> & y';
    await sendNotice({ url: hook.url, format: 'slack', token: undefined }, { ...notice, text });
    const { headers, body } = hook.requests.at(-1)!;
    expect(headers.authorization).toBeUndefined();
    expect(JSON.parse(body)).toEqual({
      text: '*a*: x &lt;!channel&gt; &amp; y\n`sluice explain a`',
    });
  });
  it('that fails is named in the error only by its host, because its path may be a secret', async () => {
    hook.answers.push(500);
    const send = (url: string): Promise<void> =>
      sendNotice({ url, format: 'generic', token: 't0k3n' }, notice);
    await expect(send(hook.url)).rejects.toThrow(/^the webhook at 127.0.0.1:\d+ answered 500$/);
    await expect(send('http://127.0.0.1:1/services/SECRET')).rejects.toThrow(
      /^the webhook at 127.0.0.1:1 does not answer \(\w+\)$/,
    );
  });
});
