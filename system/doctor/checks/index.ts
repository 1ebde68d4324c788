import type { Check } from '../check.ts';
import { declaredState, requiredFiles, uptime } from './box.ts';
import { clockPlausible, clockSynchronised } from './clock.ts';
import { crashes, lastStart } from './crashes.ts';
import { cardLife, dataInodes, dataMounted, dataSpace, dataState, fileSystemErrors, rootReadOnly } from './disk.ts';
import { supplyVoltage, temperature } from './heat.ts';
import { importReport } from './import.ts';
import { deniedActions, orderingCycles } from './journal.ts';
import { compressedSwap, killedForMemory, memory } from './memory.ts';
import { network, radio, wifiCountry } from './network.ts';
import { bootReason, slotState, slots } from './slots.ts';
import { failedUnits, services, target } from './units.ts';
import { watchdogFirmware, watchdogHardware, watchdogServices, watchdogSystemd } from './watchdog.ts';

/** Every check, in the order in which people read them. */
export const CHECKS: readonly Check[] = [
  services,
  target,
  failedUnits,
  crashes,
  lastStart,
  orderingCycles,
  deniedActions,
  requiredFiles,
  importReport,
  declaredState,
  rootReadOnly,
  dataMounted,
  dataState,
  dataSpace,
  dataInodes,
  fileSystemErrors,
  cardLife,
  slots,
  slotState,
  bootReason,
  watchdogFirmware,
  watchdogHardware,
  watchdogSystemd,
  watchdogServices,
  memory,
  compressedSwap,
  killedForMemory,
  temperature,
  supplyVoltage,
  clockPlausible,
  clockSynchronised,
  network,
  radio,
  wifiCountry,
  uptime,
];
