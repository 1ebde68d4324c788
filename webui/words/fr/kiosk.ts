import type en from '../en/kiosk.ts';
import type { Translated } from '../words.ts';

export default {
  title: 'Écran',
  starting: 'Un instant',
  away: 'Le boîtier ne répond pas. Nouvel essai automatique.',
  refused: 'Cet écran n’est pas connecté. Nouvel essai automatique.',
  signIn: 'Se connecter',
  offline: 'Hors ligne. Les valeurs sont anciennes.',
  busAway: 'Le broker de messages est absent. Les valeurs sont anciennes.',
  empty: 'Rien à afficher pour l’instant. Un administrateur le choisit sur le tableau de bord, sous « Organiser ».',
  gone: 'absent',
} satisfies Translated<typeof en>;
