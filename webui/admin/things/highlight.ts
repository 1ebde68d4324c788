/** A piece of a line of YAML, and what kind of thing it is. */
export type Piece = readonly [kind: 'key' | 'comment' | 'text' | 'number' | 'plain', text: string];

const PIECES =
  /(?<comment>(?<=^|\s)#.*)|(?<text>"(?:[^"\\]|\\.)*"?|'[^']*'?)|(?<key>[\p{L}\p{N}_$][\p{L}\p{N}_.$-]*(?=:(?:\s|$)))|(?<number>(?<![\p{L}\p{N}._-])(?:-?\d+(?:\.\d+)?|true|false|null)(?![\p{L}\p{N}_.:-]))/gu;

/** Cuts a line for the eye; what is wrong only in colour does no harm. */
export function piecesOf(line: string): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const match of line.matchAll(PIECES)) {
    if (match.index > at) pieces.push(['plain', line.slice(at, match.index)]);
    const [kind] = Object.entries(match.groups ?? {}).find(([, text]) => text !== undefined) ?? ['plain'];
    pieces.push([kind as Piece[0], match[0]]);
    at = match.index + match[0].length;
  }
  if (at < line.length) pieces.push(['plain', line.slice(at)]);
  return pieces;
}
