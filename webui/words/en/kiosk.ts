export default {
  title: 'Kiosk',
  starting: 'One moment',
  away: 'The box does not answer. Trying again by itself.',
  refused: 'This screen is not signed in. Trying again by itself.',
  signIn: 'Sign in',
  offline: 'Not connected. The values are old.',
  busAway: 'The message broker is away. The values are old.',
  empty: 'Nothing to show yet. An admin chooses it on the dashboard, under Arrange.',
  gone: 'not there',
};
