/** How wide a tile is to its height where it reads best. */
const BEST_ASPECT = 1.6;

/** Columns and rows for so many tiles in a field of this aspect, so that each is about as wide as reads best and few places stay empty. */
export function gridFor(tiles: number, aspect: number): { columns: number; rows: number } {
  let best = { columns: 1, rows: Math.max(1, tiles) };
  let bestCost = Number.POSITIVE_INFINITY;
  for (let columns = 1; columns <= tiles; columns++) {
    const rows = Math.ceil(tiles / columns);
    const shape = Math.abs(Math.log((aspect * rows) / columns / BEST_ASPECT));
    const cost = shape + (rows * columns - tiles) / tiles;
    if (cost < bestCost) [best, bestCost] = [{ columns, rows }, cost];
  }
  return best;
}
