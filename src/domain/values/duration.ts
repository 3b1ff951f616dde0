// Parses and formats durations and sizes as the spec writes them: `30s`, `5m`, `10GiB`.

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const UNIT_BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3, TiB: 1024 ** 4 } as const;

export const DURATION_PATTERN = /^(\d{1,6})(ms|s|m|h|d)$/;
export const SIZE_PATTERN = /^(\d{1,6})(B|KiB|MiB|GiB|TiB)$/;

/**
 * Returns the milliseconds of a duration such as `30s`. Throws if the text does not match
 * DURATION_PATTERN.
 */
export function durationMs(text: string): number {
  const match = DURATION_PATTERN.exec(text);
  if (!match) throw new Error(`"${text}" is not a duration like 30s, 5m, 2h or 7d`);
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

/** Returns the bytes of a size such as `10GiB`. Throws if the text does not match SIZE_PATTERN. */
export function sizeBytes(text: string): number {
  const match = SIZE_PATTERN.exec(text);
  if (!match) throw new Error(`"${text}" is not a size like 512MiB or 10GiB`);
  return Number(match[1]) * UNIT_BYTES[match[2] as keyof typeof UNIT_BYTES];
}

export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  if (bytes < 1024 ** 2) return `${(bytes / 1024).toFixed(1)} KiB`;
  if (bytes < 1024 ** 3) return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
  return `${(bytes / 1024 ** 3).toFixed(2)} GiB`;
}
