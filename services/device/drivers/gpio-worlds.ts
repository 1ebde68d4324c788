import { fakeProcesses } from '@ledge/sdk/testing.ts';
import { fakeClock } from '@ledge/testing';
import { FakeKernelLines, FakeLibgpiod } from './fake-gpio.ts';
import { gpioDriver } from './gpio.ts';
import { environment, tree } from './test-tools.ts';

/** A Pi 4 with Linux 6.6 or later: the header's chip begins at 512, and there is a second chip. */
export const PI4 = {
  'sys/class/gpio/export': '',
  'sys/class/gpio/unexport': '',
  'sys/class/gpio/gpiochip512/label': 'pinctrl-bcm2711\n',
  'sys/class/gpio/gpiochip512/base': '512\n',
  'sys/class/gpio/gpiochip512/ngpio': '58\n',
  'sys/class/gpio/gpiochip570/label': 'raspberrypi-exp-gpio\n',
  'sys/class/gpio/gpiochip570/base': '570\n',
  'sys/class/gpio/gpiochip570/ngpio': '8\n',
};
export const CHIPS = [
  { name: 'gpiochip0', label: 'pinctrl-bcm2711', lines: 58 },
  { name: 'gpiochip1', label: 'raspberrypi-exp-gpio', lines: 8 },
];
export const button = { datatype: 'boolean' as const, source: { bcm: 17, activeLow: true } };
export const lamp = { datatype: 'boolean' as const, settable: true, source: { bcm: 27, safe: false } };

export async function pi4(files: Record<string, string> = PI4) {
  const kernel = new FakeKernelLines();
  const Gpio = kernel.gpioClass(512, 577);
  const clock = fakeClock();
  return { kernel, clock, driver: gpioDriver(async () => Gpio), env: environment({ root: await tree(files), clock }) };
}
/** A machine whose kernel has no GPIO sysfs. */
export function pi5(version?: string) {
  const tools = new FakeLibgpiod(CHIPS, version);
  const clock = fakeClock();
  const processes = fakeProcesses(tools.programs);
  const driver = gpioDriver(() => Promise.reject(new Error('not asked for')));
  return { tools, clock, processes, driver, env: environment({ clock, processes }) };
}
