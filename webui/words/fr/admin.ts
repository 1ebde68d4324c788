import type en from '../en/admin.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Administration',
  nav: 'Pages d’administration',
  pages: {
    services: 'Services',
    things: 'Objets',
    mqtt: 'MQTT',
    media: 'Médias',
    people: 'Personnes',
    system: 'Système',
    backup: 'Sauvegarde',
  },
} satisfies Translated<typeof en>;
