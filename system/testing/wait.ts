const STEP_MS = 20;

/**
 * Asks again and again until the answer is neither undefined nor false; for states of other processes, which no event tells.
 * @throws after `withinMs`, with what was waited for and the last error.
 */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 10_000,
): Promise<T> {
  const endMs = performance.now() + withinMs;
  let lastError: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      lastError = error;
    }
    if (performance.now() > endMs) throw new Error(`waited ${withinMs} ms in vain for ${what}`, { cause: lastError });
    await new Promise((resolve) => setTimeout(resolve, STEP_MS));
  }
}
