export default {
  title: 'Kiosk',
};
