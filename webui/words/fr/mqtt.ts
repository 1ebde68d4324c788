import type en from '../en/mqtt.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'MQTT',
} satisfies Translated<typeof en>;
