export default {
  title: 'Media',
};
