/** Things as a house has them, simulated: for pictures of the pages and for tests that need a box with something in it. */
export const SAMPLE_THINGS: Readonly<Record<string, string>> = {
  'greenhouse.yaml': `name: Greenhouse
driver: simulated
room: Garden
sample: { every: 1s }
properties:
  temperature: { name: Temperature, datatype: float, unit: °C, min: -20, max: 60, source: { wave: sine, low: 18, high: 27, period: 10m } }
  humidity: { name: Humidity, datatype: float, unit: '%', min: 0, max: 100, source: { wave: sine, low: 55, high: 80, period: 7m } }
  window: { name: Window, datatype: enum, values: [closed, tilted, open], settable: true }
  pump: { name: Pump, datatype: boolean, settable: true }
`,
  'living-room.yaml': `name: Living room
driver: simulated
room: House
sample: { every: 2s }
properties:
  temperature: { name: Temperature, datatype: float, unit: °C, source: { wave: sine, low: 20, high: 22, period: 5m } }
  light: { name: Light, datatype: color, values: [rgb], settable: true }
  lamp: { name: Lamp, datatype: boolean, settable: true }
  note: { name: Note, datatype: string, settable: true }
`,
};
