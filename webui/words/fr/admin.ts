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
    sources: {
      default: 'Par défaut',
      project: 'Du projet',
      'ledge.yaml': 'De ledge.yaml',
      settings: 'Réglé ici',
      environment: 'De l’environnement',
    },
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
  away: {
    reboot: { title: 'Le boîtier redémarre…', text: 'Cette page revient d’elle-même, en général en moins d’une minute.' },
    'factory-reset': {
      title: 'Le boîtier repart à neuf…',
      text: 'Tout est en train d’être effacé. Cette page revient avec les premiers pas.',
    },
    restore: { title: 'La sauvegarde est reprise…', text: 'Les services redémarrent. Cette page revient d’elle-même.' },
    'power-off': { title: 'Le boîtier s’éteint…', text: 'Attendez un instant avant de le débrancher.' },
    off: {
      title: 'Le boîtier est éteint',
      text: 'Laissez-lui encore dix secondes avant de le débrancher. Une fois rallumé, cette page revient d’elle-même.',
    },
    long: 'C’est plus long que d’habitude. Le boîtier est-il alimenté et sur le réseau ? Nouvel essai en cours.',
  },
} satisfies Translated<typeof en>;
