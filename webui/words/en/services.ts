export default {
  title: 'Services',
};
