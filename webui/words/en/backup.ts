export default {
  title: 'Backup',
};
