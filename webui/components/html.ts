/** Templates as functions; whatever comes from outside goes in as a value and so becomes text, never markup. */
export { html } from 'htm/preact';
