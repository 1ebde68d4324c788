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
  form: {
    secret: 'Inchangé',
    restart: 'demande un redémarrage',
    onePerLine: 'un par ligne',
    range: (min, max) => `de ${min} à ${max}`,
    atLeast: (min) => `au moins ${min}`,
    atMost: (max) => `au plus ${max}`,
    sources: { default: 'Par défaut', 'ledge.yaml': 'De ledge.yaml', settings: 'Réglé ici', environment: 'De l’environnement' },
    changed: 'Pas encore enregistré',
    locked: 'Fixé par une variable d’environnement ; ne se change que là.',
    toDefault: 'Valeur par défaut',
    toDefaultOf: (field) => `${field} : revenir à la valeur par défaut`,
    undoOf: (field) => `${field} : annuler le changement`,
    faults: {
      number: 'Un nombre est attendu.',
      whole: 'Un nombre entier est attendu.',
      json: 'Ce n’est pas du JSON valable.',
      min: (limit) => `Au moins ${limit} est attendu.`,
      max: (limit) => `Au plus ${limit} est attendu.`,
    },
  },
} satisfies Translated<typeof en>;
