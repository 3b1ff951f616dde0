// JSON.parse rounds integers beyond 2^53 silently; a comparison must not. Long digit runs outside strings become strings.

const SUSPICIOUS = /\d{16}/;

export function parseJsonLossless(text: string): unknown {
  return JSON.parse(SUSPICIOUS.test(text) ? quoteLongNumbers(text) : text);
}

function quoteLongNumbers(text: string): string {
  let out = '';
  let copied = 0;
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === 0x22) {
      at = endOfString(text, at);
    } else if (code === 0x2d || (code >= 0x30 && code <= 0x39)) {
      const start = at;
      at += 1;
      while (at < text.length && /[0-9.eE+-]/.test(text[at]!)) at += 1;
      const number = text.slice(start, at);
      if (/^-?\d{16,}$/.test(number)) {
        out += `${text.slice(copied, start)}"${number}"`;
        copied = at;
      }
    } else {
      at += 1;
    }
  }
  return out + text.slice(copied);
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text.charCodeAt(at) !== 0x22) at += text.charCodeAt(at) === 0x5c ? 2 : 1;
  return at + 1;
}
