// Returns a text for any error, because some errors of Node have no message.

/**
 * Returns the message of an error. If a host has several addresses and none of them answers, Node's
 * error has no message, but contains one error for each address. For such an error, returns the
 * messages of all addresses.
 */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.message !== '') return error.message;
  const { errors, code } = error as { readonly errors?: unknown; readonly code?: unknown };
  const texts = Array.isArray(errors) ? [...new Set(errors.map(errorText))] : [];
  return texts.join('; ') || (typeof code === 'string' ? code : error.name);
}

/** Returns the message of the error's cause, because `fetch` itself only says "fetch failed". */
export const causeText = (error: unknown): string =>
  errorText(error instanceof Error && error.cause instanceof Error ? error.cause : error);
