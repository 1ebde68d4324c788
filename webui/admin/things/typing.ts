const INDENT = '  ';

/** Writes as if it had been typed, so that the browser's own undo takes it back. */
function type(area: HTMLTextAreaElement, from: number, to: number, text: string): void {
  area.setSelectionRange(from, to);
  // the only way that keeps the undo history; the other one is for browsers that no longer have it
  if (document.execCommand(text === '' ? 'delete' : 'insertText', false, text)) return;
  area.setRangeText(text, from, to, 'end');
  area.dispatchEvent(new InputEvent('input', { bubbles: true }));
}

const lineStart = (text: string, at: number) => text.lastIndexOf('\n', at - 1) + 1;

/** Tab and Shift+Tab move the selected lines in and out. */
export function indent(area: HTMLTextAreaElement, outwards: boolean): void {
  const { value, selectionStart, selectionEnd } = area;
  const from = lineStart(value, selectionStart);
  if (!outwards && selectionStart === selectionEnd) {
    type(area, selectionStart, selectionEnd, INDENT.slice((selectionStart - from) % INDENT.length));
    return;
  }
  const before = value.slice(from, selectionEnd);
  const after = outwards ? before.replaceAll(/^ {1,2}/gm, '') : before.replaceAll(/^(?=.)/gm, INDENT);
  if (after === before) return;
  type(area, from, selectionEnd, after);
  const firstMoved =
    after.length - before.length === 0 ? 0 : outwards ? Math.min(INDENT.length, /^ */.exec(before)?.[0].length ?? 0) : -INDENT.length;
  const start = selectionStart === selectionEnd || selectionStart > from ? Math.max(from, selectionStart - firstMoved) : from;
  area.setSelectionRange(start, from + after.length);
}

/** Enter begins the next line as deep as this one, deeper after a colon. */
export function breakLine(area: HTMLTextAreaElement): void {
  const { value, selectionStart, selectionEnd } = area;
  const line = value.slice(lineStart(value, selectionStart), selectionStart);
  const depth = /^ */.exec(line)?.[0] ?? '';
  type(area, selectionStart, selectionEnd, `\n${depth}${/:\s*$/.test(line) ? INDENT : ''}`);
}

/** Where a line begins in a text; the first is 1. */
export function offsetOfLine(text: string, line: number): number {
  let at = 0;
  for (let n = 1; n < line; n += 1) {
    const next = text.indexOf('\n', at);
    if (next < 0) return at;
    at = next + 1;
  }
  return at;
}
