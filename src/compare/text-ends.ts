// Texts without what stands at their end: in one pass, whatever stands before it. PURE.

export function withoutSpaces(value: string): string {
  let end = value.length;
  while (end > 0 && value.charCodeAt(end - 1) === 0x20) end -= 1;
  return value.slice(0, end);
}
