export default {
  title: 'Mqtt',
};
