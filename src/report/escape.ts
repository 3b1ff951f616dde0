// Text from outside (table, column and person names, reasons) must never become markup. PURE.

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

export const escapeHtml = (text: string): string => text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);

/** For text between tags, where quotes need no escape: JSON is full of them. */
export const escapeText = (text: string): string => text.replaceAll(/[&<>]/g, (character) => ENTITIES[character]!);
