// Combines the digests of key tables (key-table.ts).

/** Combines the digests of two key tables that have no key in common. */
export function addDigests(one: string, other: string): string {
  const half = (at: number): string =>
    ((parseInt(one.slice(at, at + 8), 16) + parseInt(other.slice(at, at + 8), 16)) >>> 0)
      .toString(16)
      .padStart(8, '0');
  return half(0) + half(8);
}
