import { setTimeout } from 'node:timers/promises';
import { until } from '@ledge/testing';
import { expect, test } from 'vitest';
import { bootFacts, identityOf } from './vm/ask.ts';
import { newBox } from './vm/box.ts';
import { faultsOfDisk } from './vm/check-disk.ts';
import { type Machine, UP_WITHIN_MS } from './vm/machine.ts';
import { seeded } from './vm/random.ts';
import { STATE } from './vm/slot-state.ts';

/** `EDGE_CUTS` and `EDGE_SEED` repeat or shorten a run. */
const CUTS = Number(process.env.EDGE_CUTS ?? 50);
const SEED = Number(process.env.EDGE_SEED ?? Math.floor(Math.random() * 2 ** 32));
/** After these it may come up. */
const CUTS_IN_A_ROW = 6;
/** So many cuts on one card, then a new one is flashed: its first start is cut too. */
const CUTS_PER_CARD = 12;
/** A fifth start after four that did not last is the gesture for a factory reset, and `reset` tests that: here it would only end the row. */
const NO_GESTURE = Buffer.alloc(512);
NO_GESTURE.write('LEDGE-BOOTS 0\n');
/** Until a start has been timed: about when an emulated one is up. */
const FIRST_GUESS_MS = 50_000;
const LETTER = '/var/lib/ledge/things/kept.txt';

const random = seeded(SEED);

test(`${CUTS} power cuts at random moments of the start, first starts among them: it always comes up, from slot A, with its data`, {
  timeout: CUTS * 120_000,
}, async () => {
  console.log(`EDGE_SEED=${SEED}`);
  let spanMs = FIRST_GUESS_MS;
  for (let cuts = 0, card = 1; cuts < CUTS; card++) {
    const box = await newBox(`power-cut-${card}`);
    try {
      const onThisCard = Math.min(CUTS_PER_CARD, CUTS - cuts);
      spanMs = await cutCard(box, onThisCard, spanMs);
      cuts += onThisCard;
      console.log(`card ${card}: ${cuts} cuts so far`);
    } finally {
      await box.remove();
    }
  }
});

/** Cuts the starts of one card, and lets it come up whole now and then; resolves with the time that such a start took. */
async function cutCard(box: Machine, cuts: number, guessMs: number): Promise<number> {
  let spanMs = guessMs;
  let identity: Record<string, string> | undefined;
  let letter = '';
  for (let done = 0; done < cuts; ) {
    const row = Math.min(CUTS_IN_A_ROW, cuts - done);
    for (let i = 0; i < row; i++, done++) {
      await box.powerOn();
      // any moment, early ones more often: there the card is made, mended and counted on
      const moment = Math.min(random(), random()) * spanMs;
      await setTimeout(moment); // the random moment is what is tested
      const last = box.console.lines.at(-1)?.text ?? 'nothing was said yet';
      await box.cut();
      console.log(`${box.name}: cut after ${(moment / 1000).toFixed(1)} s (${last.slice(0, 100)})`);
      const { variables, marks } = await box.disk.state();
      expect(variables?.get('BOOT_ORDER')).toBe('A B');
      if (marks.boots !== '') await box.disk.overwrite('state', STATE.boots, NO_GESTURE);
    }
    await box.powerOn();
    spanMs = await box.up();
    await box.shell();
    await until(
      'a start that has lasted',
      async () => (await box.disk.state({ running: true })).marks.boots === 'LEDGE-BOOTS 0',
      UP_WITHIN_MS,
    );
    expect(await bootFacts(box)).toMatchObject({
      SLOT: 'A',
      REASON: 'normal',
      RESET: '',
      DATA: expect.stringMatching(/^(ok|fresh|grown)$/),
    });
    expect(await box.sh('fw_printenv -n BOOT_ORDER; fw_printenv -n BOOT_A_LEFT')).toBe('A B\n9');
    if (identity) {
      expect(await identityOf(box)).toEqual(identity);
      expect(await box.sh(`cat ${LETTER}`)).toBe(letter);
    }
    identity = await identityOf(box);
    letter = `${SEED} ${done}`;
    await box.sh(`echo '${letter}' >${LETTER} && sync ${LETTER}`);
    await box.cut();
    expect((await box.disk.state()).variables?.get('BOOT_ORDER')).toBe('A B');
    expect(await faultsOfDisk(box.disk)).toEqual([]);
  }
  return spanMs;
}
