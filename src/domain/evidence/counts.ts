// Defines the numbers of a comparison: how many keys it found in each class.

export interface Counts {
  readonly matched: number;
  readonly missing: number;
  readonly extraneous: number;
  readonly mismatched: number;
  readonly unstable: number;
  readonly unknown: number;
}

export const NO_COUNTS: Counts = {
  matched: 0,
  missing: 0,
  extraneous: 0,
  mismatched: 0,
  unstable: 0,
  unknown: 0,
};

export const comparedOf = (c: Counts): number =>
  c.matched + c.missing + c.extraneous + c.mismatched + c.unstable + c.unknown;
