export default {
  title: 'Admin',
  nav: 'Admin pages',
  pages: {
    services: 'Services',
    things: 'Things',
    mqtt: 'MQTT',
    media: 'Media',
    people: 'People',
    system: 'System',
    backup: 'Backup',
  },
};
