// Sends a notice to a webhook, in Sluice's own JSON format or in Slack's format.
import type { Notice } from '../../domain/evidence/notices.js';

const TIMEOUT_MS = 10_000;

export interface Webhook {
  readonly url: string;
  readonly format: 'generic' | 'slack';
  /** Sent as a bearer token, if set. */
  readonly token: string | undefined;
}

/** Returns the body of the request. */
export function bodyOf(format: Webhook['format'], notice: Notice): object {
  const { kind, migration, iteration, text, next } = notice;
  if (format === 'generic')
    return { apiVersion: 'sluice.dev/v1alpha1', kind, migration, iteration, text, next };
  return { text: `*${slackText(migration)}*: ${slackText(text)}\n\`${slackText(next)}\`` };
}

/** Escapes the characters that Slack reads as markup. */
const slackText = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/**
 * Sends a notice. If this fails, throws an error that names only the host, because the path of a
 * webhook's URL is often a secret.
 */
export async function sendNotice(webhook: Webhook, notice: Notice): Promise<void> {
  const where = `the webhook at ${new URL(webhook.url).host}`;
  const response = await fetch(webhook.url, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: {
      'content-type': 'application/json',
      ...(webhook.token === undefined ? {} : { authorization: `Bearer ${webhook.token}` }),
    },
    body: JSON.stringify(bodyOf(webhook.format, notice)),
  }).catch((error: unknown) => {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    throw new Error(`${where} does not answer (${code ?? (error as Error).name})`);
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`${where} answered ${response.status}`);
}
