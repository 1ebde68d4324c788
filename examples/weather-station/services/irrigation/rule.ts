import { z } from '@ledge/sdk';

export const settings = z.object({
  dryPercent: z
    .number()
    .min(0)
    .max(100)
    .default(30)
    .meta({ title: 'Water below', unit: '%', description: 'soil moisture at which watering begins' }),
  wetPercent: z.number().min(0).max(100).default(45).meta({ title: 'Enough at', unit: '%', description: 'soil moisture at which it ends' }),
  rainMmPerHour: z.number().positive().default(1).meta({ title: 'Rain that does it instead', unit: 'mm/h' }),
  holdS: z
    .int()
    .min(0)
    .default(300)
    .meta({ title: 'Hold', unit: 's', description: 'shortest time between two moves of the valve; rain does not wait for it' }),
  longestMin: z
    .number()
    .positive()
    .default(20)
    .meta({ title: 'Longest watering', unit: 'min', description: 'then the water may seep in for the hold time' }),
});
export type IrrigationSettings = z.output<typeof settings>;

/** What is known when the rule is asked. Times are in ms, by a clock that only goes forward. */
export interface Situation {
  nowMs: number;
  /** Undefined while the sensor is not there. */
  moisturePercent: number | undefined;
  rainMmPerHour: number | undefined;
  isOpen: boolean;
  /** When the valve was moved last; undefined when it never was. */
  movedMs: number | undefined;
  /** Somebody wants water until then. */
  askedUntilMs: number;
}

export interface Decision {
  open: boolean;
  /** For people, as the second half of a sentence. */
  why: string;
}

/** Should the valve be open now? Between the two limits of moisture it stays as it is, so that it does not flutter. */
export function decide(situation: Situation, { dryPercent, wetPercent, rainMmPerHour, holdS, longestMin }: IrrigationSettings): Decision {
  const { nowMs, moisturePercent: moisture, rainMmPerHour: rain = 0, isOpen, movedMs, askedUntilMs } = situation;
  if (nowMs < askedUntilMs) return { open: true, why: 'somebody asked for it' };
  if (rain >= rainMmPerHour) return { open: false, why: `it rains, ${rain.toFixed(1)} mm/h` };
  if (moisture === undefined) return { open: false, why: 'the moisture of the soil is not known' };

  const restedMs = movedMs === undefined ? Number.POSITIVE_INFINITY : nowMs - movedMs;
  if (isOpen && restedMs >= longestMin * 60_000) return { open: false, why: `it watered for ${longestMin} min` };
  const soil = `the soil has ${Math.round(moisture)} %`;
  if (restedMs < holdS * 1000) return { open: isOpen, why: `${soil}, and the valve was moved less than ${holdS} s ago` };
  if (isOpen)
    return moisture < Math.max(wetPercent, dryPercent) ? { open: true, why: soil } : { open: false, why: `${soil}, which is enough` };
  return moisture < dryPercent ? { open: true, why: `${soil}, which is dry` } : { open: false, why: soil };
}
