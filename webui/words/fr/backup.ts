import { plural } from '../../client/format.ts';
import type en from '../en/backup.ts';
import type { Translated } from '../words.ts';

const many = (one: string, more: string) => (count: number) => `${count} ${plural(count, one, more)}`;

export default {
  title: 'Sauvegarde',
  make: {
    title: 'Faire une sauvegarde',
    text: 'Un fichier avec personnes, jetons, objets, médias, réglages et mesures enregistrées ; tout sauf les journaux.',
    passphrase: 'Phrase secrète (facultative)',
    passphraseHint:
      'Avec elle, personne ne lit le fichier sans la connaître. Si elle est perdue, personne ne peut l’ouvrir, pas même nous.',
    passphraseShort: '8 caractères ou plus sont attendus.',
    openHint: 'Sans elle, qui a le fichier peut tout lire. Gardez-le en lieu sûr.',
    history: 'Avec les mesures enregistrées',
    historyHint: 'Elles font l’essentiel de la taille.',
    go: 'Créer et télécharger',
    making: (size) => `Création… ${size}`,
    cancel: 'Annuler',
    done: (name, size) => `${name} a été téléchargé (${size})`,
  },
  restore: {
    title: 'Restaurer',
    text: 'Le fichier est d’abord vérifié, et vous voyez ce qu’il contient. Rien n’est changé avant votre accord.',
    choose: 'Choisir un fichier de sauvegarde',
    drop: 'ou le déposer ici',
    sending: (name) => `Envoi de ${name}`,
    checking: 'Vérification du fichier…',
    cancel: 'Annuler',
    locked: 'Cette sauvegarde a une phrase secrète',
    passphrase: 'Phrase secrète',
    unlock: 'Ouvrir',
    unlocking: 'Ouverture…',
    holds: 'Ce fichier contient',
    from: 'Boîtier',
    made: 'Faite',
    version: 'Version',
    size: 'Taille',
    encrypted: 'avec phrase secrète',
    thisBox: 'ce boîtier',
    settingsOnly: 'réglages',
    until: (time) => `Gardé jusqu’à ${time}, puis oublié.`,
    forget: 'Oublier le fichier',
    go: 'Restaurer…',
    ask: 'Tout remplacer sur ce boîtier ?',
    askText: (made) =>
      `Personnes, objets, médias et réglages redeviennent comme le ${made}. Ce qui a été ajouté depuis est perdu. Soit tout réussit, soit tout reste comme avant.`,
    askYes: 'Tout remplacer',
    preparing: 'Vérification et mise en place des parties',
    preparingText: 'Rien n’est encore changé. Si quelque chose échoue maintenant, tout reste comme avant.',
    waiting: (services) => `Redémarrent : ${services}`,
  },
  last: {
    title: 'Dernière restauration',
    done: (from, made) => `${from} du ${made} a été restauré.`,
    failed: 'Rien n’a été changé.',
  },
  counts: {
    things: many('objet', 'objets'),
    people: many('personne', 'personnes'),
    tokens: many('jeton', 'jetons'),
    users: many('utilisateur MQTT', 'utilisateurs MQTT'),
    tracks: many('morceau', 'morceaux'),
    playlists: many('liste de lecture', 'listes de lecture'),
    readings: many('mesure', 'mesures'),
    stations: many('station', 'stations'),
  } as Record<string, (count: number) => string>,
  files: many('fichier', 'fichiers'),
  warnings: {
    'other-box':
      'Elle vient d’un autre boîtier. Celui-ci garde son identifiant et son certificat ; ce qui nomme l’ancien doit être changé.',
    'newer-version': 'Elle a été faite par une version plus récente ; certaines choses pourraient manquer.',
    'no-history': 'Elle ne contient pas de mesures enregistrées ; celles d’ici restent.',
    'service-missing': 'Un service dont elle a une partie n’existe pas ici ; cette partie est laissée de côté.',
    'left-out': 'Une partie a été laissée de côté.',
  } as Record<string, string>,
} satisfies Translated<typeof en>;
