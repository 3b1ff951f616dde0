// Defines a result that is either a value, or the reason why there is no value. The reason is text
// for people.

/** The reason why there is no value. */
export interface Because {
  readonly ok: false;
  readonly reason: string;
}

export type OrReason<T> = { readonly ok: true; readonly value: T } | Because;

export const ok = <T>(value: T): OrReason<T> => ({ ok: true, value });

export const because = (reason: string): Because => ({ ok: false, reason });
