export default {
  title: 'Things',
};
